// Messages between two people (family 0x0004).
#include "codec/oscar/icbm.h"

#include <chrono>
#include <string>
#include <utility>

#include "codec/oscar/text.h"
#include "codec/wire/watched.h"
#include "core/encoding.h"

namespace chancery::oscar {
namespace {

constexpr std::uint16_t kToHost = 0x06;
constexpr std::uint16_t kToClient = 0x07;

constexpr std::uint16_t kMessage = 0x0002;
constexpr std::uint16_t kAutoResponse = 0x0004;
constexpr std::uint16_t kStored = 0x0006;  // from the server: it waited there
constexpr std::uint16_t kSent = 0x0016;    // seconds since 1970

// TLV 2 is a list of fragments: 5 = capabilities, 1 = text. Several texts are one after the other.
void read_text(const Unit& unit, Bytes block, Event& event) {
  constexpr std::uint8_t kText = 1;
  std::string text;
  Bytes source;
  std::size_t count = 0;
  for (Octets in{block}; in.left() >= 4;) {
    const std::uint8_t id = in.u8();
    in.u8();  // version
    Octets fragment{in.take(in.u16())};
    if (!in.ok()) break;
    if (id != kText) continue;
    const std::uint16_t encoding = fragment.u16();
    fragment.u16();  // language
    source = fragment.rest();
    text += from_icbm_encoding(source, encoding);
    ++count;
  }
  if (count > 0) add_text(event, unit, count == 1 ? source : Bytes{}, std::move(text));
}

void read_message(const State& state, Unit& unit, const Icbm& icbm) {
  const auto block = find_tlv(icbm.tlvs, kMessage);
  if (!block) return;
  Event& event = add_between(state, unit, icbm, Kind::message);
  if (find_tlv(icbm.tlvs, kAutoResponse)) event.detail = "auto-response";
  read_text(unit, *block, event);
  if (!event.texts.empty()) return;
  event.kind = Kind::opaque;
  event.detail = "a message without a readable text";
}

void read_stamp(const Icbm& icbm, Event& event) {
  if (!icbm.incoming) return;
  if (find_tlv(icbm.tlvs, kStored)) event.copy = Copy::delayed;
  const auto sent = find_tlv(icbm.tlvs, kSent);
  if (!sent || sent->size() != 4) return;
  Octets seconds{*sent};
  event.stated_time = Instant{std::chrono::seconds{seconds.u32()}};
}

}  // namespace

Event& add_between(const State& state, Unit& unit, const Icbm& icbm, Kind kind) {
  Event& event = unit.events.emplace_back();
  event.kind = kind;
  event.from = icbm.incoming ? icbm.other : state.name;
  const std::string& to = icbm.incoming ? state.name : icbm.other;
  if (!to.empty()) event.to.push_back(to);
  return event;
}

void read_icbm(State& state, Unit& unit, const Snac& snac) {
  const bool incoming = unit.from == Side::server;
  if (snac.subtype != (incoming ? kToClient : kToHost)) return;  // typing, acknowledgements, parameters
  Octets in{snac.body};
  const Bytes cookie = in.take(8);
  Icbm icbm;
  icbm.incoming = incoming;
  icbm.channel = in.u16();
  icbm.other = name_text(incoming ? take_user(in) : take_name(in));
  if (!in.ok()) return;
  icbm.tlvs = in.rest();
  if (icbm.channel == 1) read_message(state, unit, icbm);
  if (icbm.channel == 2) read_rendezvous(state, unit, icbm);
  if (icbm.channel == 4) read_icq_message(state, unit, icbm);
  for (Event& event : unit.events) {
    event.id = to_hex(cookie);  // the same on both legs
    read_stamp(icbm, event);
  }
}

}  // namespace chancery::oscar
