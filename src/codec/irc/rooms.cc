#include "codec/irc/rooms.h"

namespace chancery::irc {

void Rooms::set_casemap(Casemap map) {
  if (rooms_.empty()) rooms_ = std::map<std::string, Members, NameLess>{NameLess{map}};
}

void Rooms::open(Bytes room) {
  if (rooms_.size() >= rooms_max_ || knows(room)) return;
  rooms_.emplace(room, Members{rooms_.key_comp()});
}

void Rooms::close(Bytes room) {
  if (const auto at = rooms_.find(room); at != rooms_.end()) rooms_.erase(at);
}

std::string Rooms::name(Bytes room) const {
  const auto at = rooms_.find(room);
  return at == rooms_.end() ? std::string{room} : at->first;
}

void Rooms::enter(Bytes room, Bytes nick) {
  const auto at = rooms_.find(room);
  if (at == rooms_.end() || nick.empty() || at->second.size() >= members_max_) return;
  at->second.emplace(nick);
}

void Rooms::leave(Bytes room, Bytes nick) {
  const auto at = rooms_.find(room);
  if (at == rooms_.end()) return;
  if (const auto member = at->second.find(nick); member != at->second.end()) at->second.erase(member);
}

void Rooms::rename(Bytes from, Bytes to) {
  for (auto& [room, members] : rooms_) {
    const auto member = members.find(from);
    if (member == members.end()) continue;
    members.erase(member);
    members.emplace(to);
  }
}

bool Rooms::has(Bytes room, Bytes nick) const {
  const auto at = rooms_.find(room);
  return at != rooms_.end() && at->second.contains(nick);
}

std::vector<std::string> Rooms::rooms_of(Bytes nick) const {
  std::vector<std::string> names;
  for (const auto& [room, members] : rooms_)
    if (members.contains(nick)) names.push_back(room);
  return names;
}

std::vector<std::string> Rooms::members(Bytes room) const {
  const auto at = rooms_.find(room);
  if (at == rooms_.end()) return {};
  return {at->second.begin(), at->second.end()};
}

std::size_t Rooms::memory() const {
  constexpr std::size_t kNode = 80;  // a red-black node and a short string, as libstdc++ has them
  std::size_t total = 0;
  for (const auto& [room, members] : rooms_) total += 2 * kNode + room.capacity() + members.size() * kNode;
  return total;
}

}  // namespace chancery::irc
