// Channel 2: what clients propose to each other, and ICQ's messages that travel as such proposals.
#include <fmt/format.h>
#include <string>

#include "codec/oscar/icbm.h"
#include "codec/oscar/text.h"
#include "codec/wire/charset.h"
#include "codec/wire/watched.h"
#include "core/utf8.h"

namespace chancery::oscar {
namespace {

// Capabilities, without the 14 octets that those of AOL share.
constexpr Bytes kAolTail{"\x4c\x7f\x11\xd1\x82\x22\x44\x45\x53\x54\x00\x00", 12};
constexpr Bytes kSendFile{"\x09\x46\x13\x43", 4};
constexpr Bytes kGetFile{"\x09\x46\x13\x48", 4};
constexpr Bytes kDirectIm{"\x09\x46\x13\x45", 4};
constexpr Bytes kVoice{"\x09\x46\x13\x41", 4};
constexpr Bytes kIcqRelay{"\x09\x46\x13\x49", 4};
constexpr Bytes kRoom{"\x74\x8f\x24\x20\x62\x87\x11\xd1\x82\x22\x44\x45\x53\x54\x00\x00", 16};

constexpr std::uint16_t kAddress = 0x0003;
constexpr std::uint16_t kPort = 0x0005;
constexpr std::uint16_t kRequestNumber = 0x000a;
constexpr std::uint16_t kInvitation = 0x000c;
constexpr std::uint16_t kEncoding = 0x000d;
constexpr std::uint16_t kService = 0x2711;
constexpr std::uint16_t kNameEncoding = 0x2712;

struct Proposal {
  Bytes capability;
  Bytes tlvs;
  Bytes service;  // what TLV 0x2711 holds

  bool is(Bytes aol) const { return capability.starts_with(aol) && capability.substr(4) == kAolTail; }
};

std::string address_of(const Proposal& proposal) {
  const auto address = find_tlv(proposal.tlvs, kAddress);
  const auto port = find_tlv(proposal.tlvs, kPort);
  if (!address || address->size() != 4) return {};
  Octets a{*address};
  Octets p{port.value_or(Bytes{})};
  const auto first = a.u8();
  const auto second = a.u8();
  const auto third = a.u8();
  return fmt::format("{}.{}.{}.{}:{}", first, second, third, a.u8(), p.u16());
}

void add_invitation(const Proposal& proposal, const Unit& unit, Event& event) {
  const auto words = find_tlv(proposal.tlvs, kInvitation);
  if (!words || words->empty()) return;
  const Bytes encoding = find_tlv(proposal.tlvs, kEncoding).value_or(Bytes{});
  event.texts.push_back(text_part(unit, *words, from_named_encoding(*words, encoding), TextPart::Role::reason));
}

std::string name_of_file(Bytes octets, Bytes encoding) {
  const std::string name = from_named_encoding(octets, encoding);
  return name.substr(0, name.find('\0'));
}

// Multiple files or one, how many, octets in all, name; a zero ends it.
void read_file(const State& state, Unit& unit, const Icbm& icbm, const Proposal& proposal) {
  Event& event = add_between(state, unit, icbm, Kind::file_offer);
  Octets in{proposal.service};
  in.u16();
  const std::uint16_t count = in.u16();
  File& file = event.files.emplace_back();
  const std::uint32_t size = in.u32();
  if (in.ok()) file.size = size;
  file.name = name_of_file(in.rest(), find_tlv(proposal.tlvs, kNameEncoding).value_or(Bytes{}));
  file.method = "oft";
  file.url = address_of(proposal);
  if (count > 1) event.detail = fmt::format("{} files", count);
  add_invitation(proposal, unit, event);
}

void read_room(const State& state, Unit& unit, const Icbm& icbm, const Proposal& proposal) {
  Event& event = add_between(state, unit, icbm, Kind::message);
  event.detail = "invitation";
  Octets in{proposal.service};
  in.u16();  // exchange
  event.thread = name_text(take_name(in));
  add_invitation(proposal, unit, event);
}

void read_other(const State& state, Unit& unit, const Icbm& icbm, const Proposal& proposal, std::string_view what) {
  Event& event = add_between(state, unit, icbm, Kind::opaque);
  const std::string address = address_of(proposal);
  event.detail = address.empty() ? std::string{what} : fmt::format("{} {}", what, address);
  add_invitation(proposal, unit, event);
}

// Two blocks with their lengths in front, then the message: type, flags, status, priority, text, colours, and for
// type 1 perhaps the GUID that says the text is UTF-8. All little-endian.
void read_relay(const State& state, Unit& unit, const Icbm& icbm, const Proposal& proposal) {
  constexpr std::uint8_t kPlain = 1;
  Octets in{proposal.service};
  in.skip(in.u16_le());
  in.skip(in.u16_le());
  const std::uint8_t type = in.u8();
  in.u8();
  in.u32_le();
  const Bytes source = in.take(in.u16_le());
  if (!in.ok() || type != kPlain || source.empty()) return;
  const bool is_utf8 = in.rest().find("{0946134E-4C7F-11D1-8222-444553540000}") != Bytes::npos;
  Event& event = add_between(state, unit, icbm, Kind::message);
  const Bytes text = source.substr(0, source.find('\0'));
  add_text(event, unit, text, is_utf8 ? to_utf8_lossy(text) : from_unstated(text));
}

}  // namespace

void read_rendezvous(const State& state, Unit& unit, const Icbm& icbm) {
  constexpr std::uint16_t kData = 0x0005;
  constexpr std::uint16_t kPropose = 0;  // 1 = cancel, 2 = accept
  const auto block = find_tlv(icbm.tlvs, kData);
  if (!block) return;
  Octets in{*block};
  const std::uint16_t what = in.u16();
  in.skip(8);  // cookie
  Proposal proposal;
  proposal.capability = in.take(16);
  proposal.tlvs = in.rest();
  if (!in.ok() || what != kPropose) return;
  // A second or third request only moves the transfer elsewhere.
  Octets number{find_tlv(proposal.tlvs, kRequestNumber).value_or(Bytes{"\0\1", 2})};
  if (number.u16() > 1) return;
  proposal.service = find_tlv(proposal.tlvs, kService).value_or(Bytes{});
  if (proposal.is(kSendFile)) return read_file(state, unit, icbm, proposal);
  if (proposal.is(kIcqRelay)) return read_relay(state, unit, icbm, proposal);
  if (proposal.capability == kRoom) return read_room(state, unit, icbm, proposal);
  if (proposal.is(kDirectIm)) return read_other(state, unit, icbm, proposal, "direct-im");
  if (proposal.is(kGetFile)) return read_other(state, unit, icbm, proposal, "get-file");
  if (proposal.is(kVoice)) return read_other(state, unit, icbm, proposal, "voice");
}

void read_icq_message(const State& state, Unit& unit, const Icbm& icbm) {
  constexpr std::uint16_t kData = 0x0005;
  const auto block = find_tlv(icbm.tlvs, kData);
  if (!block) return;
  Octets in{*block};
  in.u32_le();  // the sender's number again
  const std::uint8_t type = in.u8();
  in.u8();
  const Bytes source = in.take(in.u16_le());
  if (!in.ok() || !carries_icq_text(type)) return;
  Event& event = add_between(state, unit, icbm, Kind::message);
  if (type != kIcqPlain) event.detail = fmt::format("icq type {}", type);
  add_icq_text(event, unit, source);
}

}  // namespace chancery::oscar
