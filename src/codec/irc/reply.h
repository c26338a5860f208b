#pragma once
// Lines that the gateway itself says to the client.
#include <string>
#include <string_view>

#include "codec/irc/line.h"
#include "codec/irc/state.h"

namespace chancery::irc {

// Text that fits behind `used` octets of a line of 512 (RFC 2812 §2.3), on one line, cut between characters.
std::string one_line(std::string_view text, std::size_t used);

// Tells the client that what he said to `event`'s receiver was not sent. `label`, when not empty, is the escaped
// value of the label that asks for this one answer (labeled-response).
std::string refusal_line(const State& state, const Line& line, const Event& event, std::string_view notice,
                         Bytes label);

// ":gateway <numeric> <nick> <middle> :<text>"
std::string numeric_line(const State& state, std::string_view numeric, std::string_view middle, std::string_view text);

}  // namespace chancery::irc
