#pragma once
// What one MSNP connection has shown so far.
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "codec/codec.h"
#include "codec/msnp/command.h"
#include "codec/msnp/mime.h"

namespace chancery::msnp {

// Pieces of one message that comes in several commands ("Chunks: 3", or a peer-to-peer block with an offset).
struct Pieces {
  Buffer joined;
  std::size_t next = 0;  // the piece, or the offset, that must come
  std::size_t total = 0;
};

// Messages under way at once in one direction; a further one makes the oldest forgotten.
inline constexpr std::size_t kPiecesMax = 4;

class Unfinished {
 public:
  Pieces* find(const std::string& key);
  Pieces& start(const std::string& key);
  void drop(const std::string& key);
  void clear() { pieces_.clear(); }
  std::size_t memory() const;

 private:
  std::map<std::string, Pieces> pieces_;
};

struct State {
  explicit State(const Limits& l) : limits(l) {}

  Limits limits;
  std::string address;            // own; empty: not known
  std::set<std::string> members;  // others in this switchboard; bounded by members_max
  std::set<std::string> called;   // invited and not there yet
  bool signed_in = false;
  std::string mechanism;
  std::array<Unfinished, 2> unfinished;  // by side

  void join(std::string who);
  // Everybody in the switchboard but `from`, sorted.
  std::vector<std::string> receivers(const std::string& from) const;
};

// Sign-in, membership: no texts.
void read_sign_in(State& state, Unit& unit, const Command& command);
void read_membership(State& state, const Unit& unit, const Command& command);
// MSG, UUM, UBM.
void read_message(State& state, Unit& unit, const Command& command);
// application/x-msnmsgrp2p: an offer of a file. `from`: who sent it.
void read_peer(State& state, Unit& unit, const Mime& mime, const std::string& from);

// An event of `kind` from `from` to all others.
Event& add_event(const State& state, Unit& unit, Kind kind, std::string from);

}  // namespace chancery::msnp
