#include "codec/xmpp/rooms.h"

namespace chancery::xmpp {

Room* Rooms::find(std::string_view jid) {
  const auto it = rooms_.find(jid);
  return it == rooms_.end() ? nullptr : &it->second;
}

const Room* Rooms::find_joined(std::string_view jid) const {
  const auto it = rooms_.find(jid);
  return it == rooms_.end() || !it->second.joined ? nullptr : &it->second;
}

Room* Rooms::add(std::string_view jid) {
  if (Room* room = find(jid)) return room;
  if (rooms_.size() >= rooms_max_) return nullptr;
  return &rooms_.try_emplace(std::string{jid}).first->second;
}

void Rooms::remove(std::string_view jid) {
  const auto it = rooms_.find(jid);
  if (it != rooms_.end()) rooms_.erase(it);
}

void Rooms::add_occupant(Room& room, std::string_view nick, std::string real) const {
  const auto it = room.occupants.find(nick);
  if (it != room.occupants.end()) {
    if (!real.empty()) it->second = std::move(real);
  } else if (room.occupants.size() < members_max_) {
    room.occupants.emplace(nick, std::move(real));
  }
}

std::vector<std::string> Rooms::present(std::string_view jid) const {
  std::vector<std::string> names;
  const Room* room = find_joined(jid);
  if (room == nullptr) return names;
  names.reserve(room->occupants.size());
  for (const auto& [nick, real] : room->occupants) {
    if (!real.empty()) {
      names.push_back(real);
    } else {
      names.emplace_back(jid).append("/").append(nick);
    }
  }
  return names;
}

std::size_t Rooms::memory() const {
  constexpr std::size_t kNodeSize = 64;  // a map node's own pointers and the allocator's header, about
  std::size_t size = 0;
  for (const auto& [jid, room] : rooms_) {
    size += kNodeSize + sizeof(Room) + jid.capacity();
    for (const auto& [nick, real] : room.occupants)
      size += kNodeSize + 2 * sizeof(std::string) + nick.capacity() + real.capacity();
  }
  return size;
}

}  // namespace chancery::xmpp
