#pragma once
// What one OSCAR connection has shown so far, and what the connections of one person share.
#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "codec/codec.h"
#include "codec/oscar/flap.h"

namespace chancery::oscar {

// One person has several connections: the log-in's, the main one, one for each chat room. Only the log-in's says who
// it is; the next is opened with a cookie that the one before was given. Bounded: the oldest is forgotten.
class Cookies final : public Shared {
 public:
  void remember(Bytes cookie, std::string_view name);
  std::string name_of(Bytes cookie) const;  // empty: not known
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint64_t digest = 0;  // never the cookie itself: whoever has it can sign in
    std::string name;
  };
  static constexpr std::size_t kEntriesMax = 4096;
  std::vector<Entry> entries_;
  std::size_t next_ = 0;
};

struct State {
  State(const Limits& l, Cookies* c) : limits(l), cookies(c) {}

  Limits limits;
  Cookies* cookies;     // may be null
  std::string name;     // own, as the server wrote it; empty: not known
  std::string claimed;  // the name asked for while signing in
  std::string mechanism;
  bool signed_in = false;
  std::string room;                 // of a chat connection
  std::set<std::string> occupants;  // of that room; bounded by members_max
  bool occupants_known = false;
  std::optional<std::array<char, 8>> said;  // cookie of the own last words in the room, until they come back
};

// Screen names are the same with and without spaces and capitals.
bool same_name(Bytes a, Bytes b);
// As events hold them.
std::string name_text(Bytes octets);

void read_sign_on(State& state, Unit& unit);                     // FLAP channel 1
void read_sign_off(State& state, Unit& unit);                    // channel 4: ICQ's log-in answer
void read_services(State& state, Unit& unit, const Snac& snac);  // family 0x0001
void read_log_in(State& state, Unit& unit, const Snac& snac);    // family 0x0017
void read_account(Unit& unit, const Snac& snac);                 // family 0x0007
void read_icbm(State& state, Unit& unit, const Snac& snac);      // family 0x0004
void read_icq(State& state, Unit& unit, const Snac& snac);       // family 0x0015
void read_chat(State& state, Unit& unit, const Snac& snac);      // family 0x000e

}  // namespace chancery::oscar
