#include "codec/winpopup/winpopup.h"

#include <algorithm>
#include <array>

#include "codec/winpopup/popup.h"
#include "codec/wire/charset.h"
#include "codec/wire/watched.h"

namespace chancery::winpopup {
namespace {

class WinpopupCodec final : public WatchedCodec {
 public:
  WinpopupCodec(const Limits& limits, const Start& start) : WatchedCodec(kSession, limits, start) {}

 private:
  void read(Unit& unit, Instant /*now*/) override {
    if (const auto rpc = read_rpc(unit.wire)) {
      add_popup(unit, *rpc);
    } else if (const auto mailslot = read_mailslot(unit.wire)) {
      add_popup(unit, *mailslot);
    } else {
      read_session(unit, multi_[static_cast<std::size_t>(unit.from)], limits().unit_size_max);
    }
  }

  void forget(Side from) override { multi_[static_cast<std::size_t>(from)] = {}; }

  std::size_t state_memory() const override { return multi_[0].text.capacity() + multi_[1].text.capacity(); }

  std::array<Multi, 2> multi_;
};

std::unique_ptr<Codec> make(const Limits& limits, const Start& start) {
  return std::make_unique<WinpopupCodec>(limits, start);
}

Likeness probe(Side from, Bytes octets) {
  if (read_rpc(octets) || read_mailslot(octets)) return Likeness::yes;
  return probe_frames(kSession, from, octets);
}

constexpr std::array<std::uint16_t, 5> kPorts{138, 139, 1026, 1027, 1028};

}  // namespace

std::string popup_text(Bytes octets) {
  std::string text = from_unstated(octets.substr(0, octets.find('\0')));
  std::ranges::replace(text, '\x14', '\n');
  return text;
}

Event& add_popup(Unit& unit, const Popup& popup) {
  Event& event = unit.events.emplace_back();
  event.from = popup_text(popup.from);
  event.to = {popup_text(popup.to)};
  const Bytes text = popup.text.substr(0, popup.text.find('\0'));
  event.texts.push_back(text_part(unit, text, popup_text(text)));
  return event;
}

const Protocol kProtocol{"winpopup", kPorts, probe, make, nullptr, false};

}  // namespace chancery::winpopup
