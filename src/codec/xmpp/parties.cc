#include "codec/xmpp/events.h"
#include "codec/xmpp/jid.h"

namespace chancery::xmpp {
namespace {

std::string occupant(std::string_view room, std::string_view nick) {
  std::string jid{room};
  if (!nick.empty()) jid.append("/").append(nick);
  return jid;
}

// Empty where the room hides it.
std::string real_address(const Room& room, std::string_view nick) {
  const auto it = room.occupants.find(nick);
  return it == room.occupants.end() ? std::string{} : it->second;
}

void set_room_parties(const Session& session, Side side, std::string_view from, std::string_view to, Event& event) {
  event.scope = Scope::room;
  event.room = normal_bare(side == Side::client ? to : from);
  event.present = session.rooms->present(event.room);
  const Room* room = session.rooms->find_joined(event.room);
  if (side == Side::client) {
    event.from = room != nullptr ? occupant(event.room, room->own_nick) : session.own;
    event.from_device = session.own_full;
    return;
  }
  const std::string_view nick = resource_part(from);
  event.from = occupant(event.room, nick);
  if (room != nullptr) event.from_device = real_address(*room, nick);
}

const Room* room_of(const Session& session, std::string_view jid) {
  return session.rooms->empty() ? nullptr : session.rooms->find_joined(normal_bare(jid));
}

// One end of a direct exchange: an account, or an occupant of a room we are in (XEP-0045 §7.5, private messages).
std::string party(std::string_view jid, const Room* room) {
  return room != nullptr ? normal_jid(jid) : normal_bare(jid);
}

}  // namespace

void set_parties(const Session& session, Side side, std::string_view from, std::string_view to, bool in_room,
                 Event& event) {
  if (side == Side::client || from.empty()) from = session.own_full.empty() ? session.own : session.own_full;
  if (to.empty()) to = session.own;
  if (in_room) return set_room_parties(session, side, from, to, event);

  event.scope = Scope::direct;
  const Room* from_room = room_of(session, from);
  const Room* to_room = room_of(session, to);
  event.from = party(from, from_room);
  const std::string_view resource = resource_part(from);
  if (from_room != nullptr)
    event.from_device = real_address(*from_room, resource);
  else if (!resource.empty())
    event.from_device.reserve(event.from.size() + 1 + resource.size()),
        event.from_device.append(event.from).append("/").append(resource);
  std::string receiver = party(to, to_room);
  // The other end of a private message is our own occupant in that room.
  if (from_room != nullptr && to_room == nullptr) receiver = occupant(normal_bare(from), from_room->own_nick);
  if (to_room != nullptr && from_room == nullptr) event.from = occupant(normal_bare(to), to_room->own_nick);
  event.to.push_back(std::move(receiver));
}

}  // namespace chancery::xmpp
