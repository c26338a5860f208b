#pragma once
// One message of family 0x0004 as its parts read it.
#include <string>

#include "codec/oscar/state.h"
#include "codec/oscar/tlv.h"

namespace chancery::oscar {

struct Icbm {
  bool incoming = false;
  std::uint16_t channel = 0;
  std::string other;  // who it is from, or to
  Bytes tlvs;
};

// ICQ's own types of message. Those with words in them: plain, link, requests and answers about being listed.
inline constexpr std::uint8_t kIcqPlain = 0x01;
constexpr bool carries_icq_text(std::uint8_t type) {
  return type == kIcqPlain || type == 0x02 || type == 0x04 || type == 0x06 || type == 0x07 || type == 0x0d ||
         type == 0x0e;
}

// An event of `kind` between the connection's own person and the other one.
Event& add_between(const State& state, Unit& unit, const Icbm& icbm, Kind kind);

// Channel 2: offers of files, rooms and direct connections; ICQ's messages between clients.
void read_rendezvous(const State& state, Unit& unit, const Icbm& icbm);
// Channel 4: ICQ's first kind of message.
void read_icq_message(const State& state, Unit& unit, const Icbm& icbm);

}  // namespace chancery::oscar
