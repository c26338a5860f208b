// NetBIOS sessions: SMB's commands 0xd0 (a whole message), 0xd5, 0xd7, 0xd6 (beginning, text, end).
#include <algorithm>

#include "codec/winpopup/popup.h"
#include "codec/wire/octets.h"

namespace chancery::winpopup {
namespace {

constexpr std::size_t kSessionHeader = 4;
constexpr std::size_t kSmbHeader = 32;
constexpr Bytes kSmb{"\xffSMB"};
constexpr std::uint8_t kSingle = 0xd0;
constexpr std::uint8_t kStart = 0xd5;
constexpr std::uint8_t kEnd = 0xd6;
constexpr std::uint8_t kText = 0xd7;

bool is_session_type(unsigned char type) { return type == 0 || (type >= 0x81 && type <= 0x85); }

bool is_message_command(char octet) {
  const auto command = static_cast<std::uint8_t>(octet);
  return command == kSingle || (command >= kStart && command <= kText);
}

Measured measure(Side /*from*/, Bytes octets, std::size_t /*seen*/) {
  if (!is_session_type(static_cast<unsigned char>(octets[0]))) return Measured::wrong();
  if (octets.size() < kSessionHeader) return Measured::more(kSessionHeader);
  Octets header{octets.substr(1)};
  const std::size_t high = header.u8() & 1U;  // a seventeenth bit of the length
  return Measured::frame(kSessionHeader + (high << 16 | header.u16()));
}

Likeness begins(Side /*from*/, Bytes octets) {
  if (octets[0] != 0) return Likeness::no;
  const Bytes smb = octets.substr(std::min(octets.size(), kSessionHeader), kSmb.size());
  if (!kSmb.starts_with(smb)) return Likeness::no;
  if (octets.size() < kSessionHeader + kSmb.size() + 1) return Likeness::need_more;
  return is_message_command(octets[kSessionHeader + kSmb.size()]) ? Likeness::yes : Likeness::no;
}

// A string is 0x04, its octets and a zero; a text 0x01, its length (2, little-endian) and its octets.
Bytes take_name(Octets& in) { return in.u8() == 4 ? in.until_zero() : Bytes{}; }
Bytes take_text(Octets& in) { return in.u8() == 1 ? in.take(in.u16_le()) : Bytes{}; }

void read_end(Unit& unit, Multi& multi) {
  if (!multi.open) return;
  Event& event = unit.events.emplace_back();
  event.from = std::move(multi.from);
  event.to = {std::move(multi.to)};
  event.texts.push_back({TextPart::Role::body, {}, popup_text(multi.text), {}});
  multi = {};
}

}  // namespace

const Framing kSession{measure, begins};

void read_session(Unit& unit, Multi& multi, std::uint32_t size_max) {
  const Bytes wire = unit.wire;
  if (wire.size() < kSessionHeader + kSmbHeader + 3 || wire.substr(kSessionHeader, kSmb.size()) != kSmb) return;
  const auto command = static_cast<std::uint8_t>(wire[kSessionHeader + kSmb.size()]);
  constexpr std::size_t kFlags = kSessionHeader + 9;
  if ((static_cast<unsigned char>(wire[kFlags]) & 0x80) != 0) return;  // an answer
  Octets in{wire.substr(kSessionHeader + kSmbHeader)};
  in.skip(in.u8() * 2U);  // words
  in.u16_le();            // how many octets follow
  if (command == kSingle) {
    Popup popup;
    popup.from = take_name(in);
    popup.to = take_name(in);
    popup.text = take_text(in);
    if (in.ok()) add_popup(unit, popup);
  } else if (command == kStart) {
    multi = {popup_text(take_name(in)), popup_text(take_name(in)), {}, true};
  } else if (command == kText && multi.open) {
    const Bytes text = take_text(in);
    if (multi.text.size() + text.size() <= size_max) multi.text += text;
  } else if (command == kEnd) {
    read_end(unit, multi);
  }
}

}  // namespace chancery::winpopup
