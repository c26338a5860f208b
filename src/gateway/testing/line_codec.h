#pragma once
// For tests: a protocol as small as a protocol can be. One line is one unit, ended by '\n'.
//   client: LOGIN <name> · MSG <to> <text> · KEY <key> · RESUME <key> · STARTTLS · QUIT       server: FROM <who>
//   <text> · DELAYED <who> <text>
// Any other line passes without an event; "BAD" is an error. PASS <x> is passed and recorded with <x> masked.
#include "codec/codec.h"

namespace chancery::gateway::testing {

extern const Protocol kLineProtocol;

}  // namespace chancery::gateway::testing
