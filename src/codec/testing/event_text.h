#pragma once
// Events, secrets and outgoing steps as one line of text each, for transcripts and failure messages.
// docs/formats/transcript.md, "Events". Fields at their default are left out; equal lines mean equal values.
#include <string>

#include "codec/codec.h"

namespace chancery::testing {

// `message room from=alice room=#ops present=[alice bob] body="hello"`. `wire` is the unit's: a text whose octets
// stand in the wire in one piece, unchanged, needs no segments in the line.
std::string to_line(const Event& event, Bytes wire);

// `sasl "c2VjcmV0"`: what is masked, and the octets.
std::string to_line(const Secret& secret, Bytes wire);

std::string to_string(Side side);             // "C", "S"
std::string to_string(std::error_code code);  // "too_large", …; other categories by number

}  // namespace chancery::testing
