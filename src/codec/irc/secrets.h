#pragma once
// Octets of a line that must never be stored.
#include <vector>

#include "codec/irc/line.h"
#include "codec/irc/state.h"
#include "event/event.h"

namespace chancery::irc {

// `command` is upper case. Sorted, not overlapping. Reads `state.sasl_running` and `state.told`; changes nothing.
std::vector<Secret> find_secrets(const State& state, const Line& line, std::string_view command, Side from);

// Remembers the words of a client's line that were found to be secrets and go to a service, for what the service
// answers ("… registered with the password …").
void remember_told(State& state, const Line& line, const std::vector<Secret>& secrets);

// AUTHENTICATE's argument is the name of a mechanism, not an answer to one.
bool is_mechanism_name(Bytes argument);

// "NickServ" for "NS", "nickserv"; empty: not a command that servers turn into a message to a service.
std::string_view service_of_command(std::string_view command);

}  // namespace chancery::irc
