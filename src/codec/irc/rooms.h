#pragma once
// Who is in the channels of this session, as far as the server has said. Bounded: what goes over a limit is not
// tracked, and `present` of its messages is then shorter than the truth.
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "codec/irc/network.h"
#include "core/bytes.h"

namespace chancery::irc {

class Rooms {
 public:
  Rooms(std::uint32_t rooms_max, std::uint32_t members_max) : rooms_max_(rooms_max), members_max_(members_max) {}

  // Takes effect while no room is known: 005 comes before the first JOIN.
  void set_casemap(Casemap map);

  void open(Bytes room);   // this session entered it
  void close(Bytes room);  // …and left
  bool knows(Bytes room) const { return rooms_.contains(room); }
  // The name as the server first wrote it, else as given.
  std::string name(Bytes room) const;

  void enter(Bytes room, Bytes nick);
  void leave(Bytes room, Bytes nick);
  void rename(Bytes from, Bytes to);
  bool has(Bytes room, Bytes nick) const;
  std::vector<std::string> rooms_of(Bytes nick) const;
  std::vector<std::string> members(Bytes room) const;  // sorted by folded nick

  std::size_t memory() const;

 private:
  using Members = std::set<std::string, NameLess>;

  std::uint32_t rooms_max_;
  std::uint32_t members_max_;
  std::map<std::string, Members, NameLess> rooms_;
};

}  // namespace chancery::irc
