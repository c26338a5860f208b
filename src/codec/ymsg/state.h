#pragma once
// What one YMSG connection has shown so far.
#include <map>
#include <set>
#include <string>

#include "codec/codec.h"
#include "codec/ymsg/packet.h"

namespace chancery::ymsg {

using Names = std::set<std::string>;

struct State {
  explicit State(const Limits& l) : limits(l) {}

  Limits limits;
  std::string name;  // own; empty: not known
  bool signed_in = false;
  bool asked = false;                  // a log-in was seen under way
  std::map<std::string, Names> rooms;  // conferences and chat rooms: the others in them

  // The others of `room`, which is opened when the limits allow; null: it is not tracked.
  Names* others(const std::string& room);
  void enter(const std::string& room, const std::string& who);
};

void read_sign_in(State& state, Unit& unit, const Packet& packet);
void read_talk(State& state, Unit& unit, const Packet& packet);   // messages between two
void read_rooms(State& state, Unit& unit, const Packet& packet);  // conferences and chat rooms
void read_files(State& state, Unit& unit, const Packet& packet);

// An event between `from` and `to`; whichever is oneself is filled in.
Event& add_between(const State& state, Unit& unit, Kind kind, std::string from, std::string to);

}  // namespace chancery::ymsg
