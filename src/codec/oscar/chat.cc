// Chat rooms (family 0x000e): each has a connection of its own.
#include <algorithm>
#include <cstring>
#include <utility>

#include "codec/oscar/state.h"
#include "codec/oscar/text.h"
#include "codec/oscar/tlv.h"
#include "codec/wire/watched.h"
#include "core/encoding.h"

namespace chancery::oscar {
namespace {

constexpr std::uint16_t kRoomInfo = 0x02;
constexpr std::uint16_t kJoined = 0x03;
constexpr std::uint16_t kLeft = 0x04;
constexpr std::uint16_t kSay = 0x05;
constexpr std::uint16_t kSaid = 0x06;

constexpr std::uint16_t kRoomName = 0x00d3;
constexpr std::uint16_t kWhisperTo = 0x0002;
constexpr std::uint16_t kSender = 0x0003;
constexpr std::uint16_t kMessage = 0x0005;
constexpr std::uint16_t kText = 0x0001;
constexpr std::uint16_t kEncoding = 0x0002;

Event& add_in_room(const State& state, Unit& unit, Kind kind, std::string from) {
  Event& event = unit.events.emplace_back();
  event.kind = kind;
  event.scope = Scope::room;
  event.room = state.room;
  event.from = std::move(from);
  event.present.assign(state.occupants.begin(), state.occupants.end());
  return event;
}

void read_room_info(State& state, Bytes body) {
  Octets in{body};
  in.u16();  // exchange
  const Bytes cookie = take_name(in);
  in.u16();  // instance
  in.u8();   // detail level
  in.u16();  // number of TLVs
  if (!in.ok()) return;
  const auto name = find_tlv(in.rest(), kRoomName);
  state.room = name_text(name && !name->empty() ? *name : cookie);
}

// The first list is of those who are there already, oneself among them: only that is a joining.
void read_joined(State& state, Unit& unit, Bytes body) {
  const bool already_there = !std::exchange(state.occupants_known, true);
  for (Octets in{body}; in.left() > 0;) {
    const Bytes user = take_user(in);
    if (!in.ok() || user.empty()) return;
    std::string name = name_text(user);
    if (state.occupants.size() < state.limits.members_max) state.occupants.insert(name);
    const bool told = !already_there || same_name(name, state.name);
    if (told && unit.events.size() < state.limits.targets_max) add_in_room(state, unit, Kind::join, std::move(name));
  }
  // Whoever was named later in the same frame is there too.
  for (Event& event : unit.events) event.present.assign(state.occupants.begin(), state.occupants.end());
}

void read_left(State& state, Unit& unit, Bytes body) {
  for (Octets in{body}; in.left() > 0;) {
    const Bytes user = take_user(in);
    if (!in.ok() || user.empty()) return;
    const std::string name = name_text(user);
    if (unit.events.size() < state.limits.targets_max) add_in_room(state, unit, Kind::leave, name);
    state.occupants.erase(name);
  }
}

void add_words(const Unit& unit, Bytes block, Event& event) {
  const Bytes source = find_tlv(block, kText).value_or(Bytes{});
  add_text(event, unit, source, from_named_encoding(source, find_tlv(block, kEncoding).value_or(Bytes{})));
}

void read_say(State& state, Unit& unit, Bytes cookie, Bytes tlvs, Bytes block) {
  Event& event = add_in_room(state, unit, Kind::message, state.name);
  event.id = to_hex(cookie);
  if (const auto to = find_tlv(tlvs, kWhisperTo)) {
    event.scope = Scope::direct;
    event.to = {name_text(*to)};
    event.present.clear();
    event.thread = std::exchange(event.room, {});
  } else {
    state.said.emplace();
    std::memcpy(state.said->data(), cookie.data(), cookie.size());
  }
  add_words(unit, block, event);
}

void read_said(State& state, Unit& unit, Bytes cookie, Bytes tlvs, Bytes block) {
  Octets in{find_tlv(tlvs, kSender).value_or(Bytes{})};
  std::string sender = name_text(take_user(in));
  const bool came_back = state.said && Bytes{state.said->data(), state.said->size()} == cookie;
  if (came_back) state.said.reset();
  if (came_back && state.name.empty()) state.name = sender;
  const bool own = came_back || (!state.name.empty() && same_name(sender, state.name));
  Event& event = add_in_room(state, unit, Kind::message, std::move(sender));
  event.id = to_hex(cookie);
  if (own) event.copy = Copy::echo;
  add_words(unit, block, event);
}

}  // namespace

void read_chat(State& state, Unit& unit, const Snac& snac) {
  if (unit.from == Side::server) {
    if (snac.subtype == kRoomInfo) return read_room_info(state, snac.body);
    if (snac.subtype == kJoined) return read_joined(state, unit, snac.body);
    if (snac.subtype == kLeft) return read_left(state, unit, snac.body);
  }
  if (snac.subtype != (unit.from == Side::client ? kSay : kSaid)) return;
  Octets in{snac.body};
  const Bytes cookie = in.take(8);
  in.u16();  // channel
  if (!in.ok()) return;
  const Bytes tlvs = in.rest();
  const auto block = find_tlv(tlvs, kMessage);
  if (!block) return;
  if (unit.from == Side::client)
    read_say(state, unit, cookie, tlvs, *block);
  else
    read_said(state, unit, cookie, tlvs, *block);
}

}  // namespace chancery::oscar
