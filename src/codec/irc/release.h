#pragma once
// The forward half: a decided unit to octets. What it may rewrite is the closed list in docs/protocols/irc.md.
#include <span>
#include <string>
#include <string_view>

#include "codec/irc/state.h"

namespace chancery::irc {

void release_unit(const State& state, const Unit& unit, std::span<const Decision> decisions, Outbox& out);

// `text` as NOTICE lines from the gateway to the client, in the channel of `about` or to the client himself. Line
// breaks start a new NOTICE, and so does a line that would pass the limit of 512 octets.
std::string notice_lines(const State& state, std::string_view text, const Event* about);

}  // namespace chancery::irc
