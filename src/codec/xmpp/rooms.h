#pragma once
// Who is in the rooms (XEP-0045) that this session is in, as the room's own presence says.
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "codec/codec.h"

namespace chancery::xmpp {

struct Room {
  bool joined = false;        // the room has shown us our own presence (§7.2.2, status 110)
  bool history_over = false;  // the subject has come: what follows is live (§7.2.15)
  std::string own_nick;
  std::map<std::string, std::string, std::less<>> occupants;  // nick → real bare JID, empty where the room hides it
};

// Bounded by Limits::rooms_max and members_max; what goes over is not tracked (`present` is then incomplete).
class Rooms {
 public:
  explicit Rooms(const Limits& limits) : rooms_max_(limits.rooms_max), members_max_(limits.members_max) {}

  // `jid`: the room's bare JID in normal form. Null: unknown, or no place for one more.
  Room* find(std::string_view jid);
  const Room* find_joined(std::string_view jid) const;
  bool empty() const { return rooms_.empty(); }
  Room* add(std::string_view jid);
  void remove(std::string_view jid);
  void add_occupant(Room& room, std::string_view nick, std::string real) const;

  // Everyone in it: the real address where the room shows it, else the occupant's ("room@conference/nick").
  std::vector<std::string> present(std::string_view jid) const;
  std::size_t memory() const;

 private:
  std::uint32_t rooms_max_;
  std::uint32_t members_max_;
  std::map<std::string, Room, std::less<>> rooms_;
};

}  // namespace chancery::xmpp
