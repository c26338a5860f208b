// Presence: who is in a room (XEP-0045 §7), and, when the listener asks for it, who is there at all.
#include "codec/xmpp/events.h"
#include "codec/xmpp/jid.h"
#include "codec/xmpp/names.h"
#include "codec/xmpp/texts.h"

namespace chancery::xmpp {
namespace {

bool has_status(const xml::Element& muc_user, std::string_view code) {
  for (const xml::Element child : muc_user.children())
    if (child.is("status", ns::kMucUser) && child.attribute("code") == code) return true;
  return false;
}

// One occupant's presence as the room shows it.
struct Shown {
  std::string room;       // bare JID
  std::string_view nick;  // in the room
  xml::Element x;         // <x xmlns='…muc#user'/>
  xml::Element item;
  bool self = false;
};

Event room_event(const Session& session, const Shown& shown, Kind kind) {
  Event event;
  event.kind = kind;
  event.scope = Scope::room;
  event.room = shown.room;
  event.from = shown.room + '/' + std::string{shown.nick};
  event.from_device = shown.self ? session.own_full : normal_jid(shown.item.attribute("jid"));
  event.present = session.rooms->present(shown.room);
  return event;
}

void read_status(const xml::Element& presence, Event& event) {
  for (const xml::Element child : presence.children())
    if (child.is("status", ns::kClient)) add_text(TextPart::Role::reason, child, event);
}

void read_arrival(Session& session, Room& room, const Shown& shown, const xml::Element& presence, Unit& unit) {
  const bool known = room.occupants.contains(shown.nick);
  session.rooms->add_occupant(room, shown.nick, shown.self ? session.own : normal_bare(shown.item.attribute("jid")));
  const bool entered_now = shown.self && !room.joined;
  if (shown.self) {
    room.joined = true;
    room.own_nick = shown.nick;
  }
  // Before our own presence (§7.2.2) come those who were there already: they do not enter.
  if (!entered_now && (known || !room.joined)) return;
  Event event = room_event(session, shown, Kind::join);
  read_status(presence, event);
  unit.events.push_back(std::move(event));
}

void read_rename(Session& session, Room& room, const Shown& shown, Unit& unit) {
  const std::string next{shown.item.attribute("nick")};
  Event event = room_event(session, shown, Kind::nick);
  event.detail = next;
  const auto it = room.occupants.find(shown.nick);
  if (it != room.occupants.end()) {
    auto node = room.occupants.extract(it);
    node.key() = next;
    room.occupants.insert(std::move(node));
  }
  if (shown.self || shown.nick == room.own_nick) room.own_nick = next;
  unit.events.push_back(std::move(event));
}

// §8.2 kick 307, §9.1 ban 301, §9.4 loss of membership 321, 322; §17.3 shutdown 332. Empty: left by itself.
std::string_view removal(const xml::Element& x) {
  if (has_status(x, "307")) return "kicked";
  if (has_status(x, "301")) return "banned";
  if (has_status(x, "321") || has_status(x, "322")) return "removed";
  if (has_status(x, "332")) return "room shut down";
  return {};
}

std::string actor_of(const Shown& shown) {
  const xml::Element actor = shown.item.child("actor", ns::kMucUser);
  if (const std::string_view nick = actor.attribute("nick"); !nick.empty()) return shown.room + '/' + std::string{nick};
  if (const std::string_view jid = actor.attribute("jid"); !jid.empty()) return normal_bare(jid);
  return shown.room;  // the room does not say who
}

void read_departure(Session& session, Room& room, const Shown& shown, const xml::Element& presence, Unit& unit) {
  Event event = room_event(session, shown, Kind::leave);
  const std::string_view removed = removal(shown.x);
  const xml::Element reason = shown.item.child("reason", ns::kMucUser);
  const xml::Element destroyed = shown.x.child("destroy", ns::kMucUser);  // §10.9
  if (!removed.empty()) event.to.push_back(actor_of(shown));
  if (reason)
    add_text(TextPart::Role::reason, reason, event);
  else if (destroyed)
    add_text(TextPart::Role::reason, destroyed.child("reason", ns::kMucUser), event);
  else
    read_status(presence, event);
  event.detail = event.texts.empty() ? std::string{destroyed ? "room destroyed" : removed} : event.texts.front().text;
  room.occupants.erase(std::string{shown.nick});
  if (shown.self || shown.nick == room.own_nick) session.rooms->remove(shown.room);
  unit.events.push_back(std::move(event));
}

// Returns whether it was a room's presence.
bool read_occupant(Session& session, const xml::Element& presence, std::string_view type, Unit& unit) {
  const std::string_view from = presence.attribute("from");
  Shown shown;
  shown.room = normal_bare(from);
  shown.nick = resource_part(from);
  Room* room = session.rooms->find(shown.room);
  shown.x = presence.child("x", ns::kMucUser);
  if (room == nullptr && session.midstream && shown.x) room = session.rooms->add(shown.room);
  if (room == nullptr) return false;
  if (type == "error") {
    if (!room->joined) session.rooms->remove(shown.room);
    return true;
  }
  if (!shown.x || shown.nick.empty()) return true;
  shown.item = shown.x.child("item", ns::kMucUser);
  shown.self = has_status(shown.x, "110");
  if (type.empty())
    read_arrival(session, *room, shown, presence, unit);
  else if (type != "unavailable" || !room->occupants.contains(shown.nick))
    return true;
  else if (has_status(shown.x, "303"))
    read_rename(session, *room, shown, unit);
  else
    read_departure(session, *room, shown, presence, unit);
  return true;
}

// The client asks to enter: available presence to "room@conference/nick" (§7.2.1). It is a room once it answers so.
void read_entry(Session& session, const xml::Element& presence) {
  const std::string_view to = presence.attribute("to");
  if (!presence.attribute("type").empty() || resource_part(to).empty()) return;
  Room* room = session.rooms->add(normal_bare(to));
  if (room == nullptr) return;
  if (!room->joined) *room = Room{};
  // Asked to enter again, as after a lost connection to it, the room shows its history again.
  if (presence.child("x", ns::kMuc)) room->history_over = false;
}

void read_plain(const Session& session, Side side, const xml::Element& presence, std::string_view type, Unit& unit) {
  Event event;
  event.kind = Kind::presence;
  read_status(presence, event);
  // A request to subscribe can carry words to a stranger (RFC 6121 §3.1.1): recorded whatever the listener says.
  const bool request = type == "subscribe" && !event.texts.empty();
  if (!session.record_presence && !request) return;
  set_parties(session, side, presence.attribute("from"), presence.attribute("to"), false, event);
  if (side == Side::client && presence.attribute("to").empty()) event.to.clear();  // to all who are subscribed
  event.id = presence.attribute("id");
  event.detail = type.empty() ? presence.child("show", ns::kClient).text() : std::string{type};
  if (event.detail.empty()) event.detail = "available";
  unit.events.push_back(std::move(event));
}

}  // namespace

void read_presence(Session& session, Side side, const xml::Element& presence, Unit& unit) {
  const std::string_view type = presence.attribute("type");
  if (side == Side::client)
    read_entry(session, presence);
  else if (read_occupant(session, presence, type, unit))
    return;
  read_plain(session, side, presence, type, unit);
}

}  // namespace chancery::xmpp
