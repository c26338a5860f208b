#pragma once
// A pop-up message, wherever it came from.
#include <optional>
#include <string>

#include "codec/codec.h"
#include "codec/wire/frames.h"

namespace chancery::winpopup {

// Views into the wire.
struct Popup {
  Bytes from;
  Bytes to;
  Bytes text;
};

// UDP: DCE/RPC's NetrSendMessage, or a mailslot message. Nullopt: it is neither.
std::optional<Popup> read_rpc(Bytes datagram);
std::optional<Popup> read_mailslot(Bytes datagram);

// As events hold them. `text` is up to the zero that ends it; Windows writes a line break as 0x14.
Event& add_popup(Unit& unit, const Popup& popup);
std::string popup_text(Bytes octets);

// NetBIOS session service (RFC 1002 §4.3) with SMB's message commands.
extern const Framing kSession;

// One message that comes in several commands: names, pieces of text, end. Between them only a group id.
struct Multi {
  std::string from;
  std::string to;
  std::string text;
  bool open = false;
};

void read_session(Unit& unit, Multi& multi, std::uint32_t size_max);

}  // namespace chancery::winpopup
