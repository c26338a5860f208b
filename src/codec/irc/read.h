#pragma once
// Lines to events: what each side's commands mean. Both change `state`.
#include "codec/irc/line.h"
#include "codec/irc/state.h"

namespace chancery::irc {

// Names of people and channels as events hold them: UTF-8.
std::string name_of(Bytes octets);

// Fills a new event, where it stays: of `kind` from `from` about `target`, in a channel with those present, or to a
// person.
void begin_event(const State& state, Kind kind, Bytes from, Bytes target, Event& event);

// A line without octets lost. `unit.wire` is whole; events, secrets and action are filled. The error is sticky.
std::error_code read_client_line(State& state, Unit& unit);
std::error_code read_server_line(State& state, Unit& unit, Instant now);

}  // namespace chancery::irc
