#pragma once
// How parts of an event are named in JSON Lines (docs/formats/jsonl.md) and in transcripts. Never empty.
#include <string_view>

#include "event/event.h"

namespace chancery {

std::string_view to_string(Scope scope);
std::string_view to_string(Copy copy);
std::string_view to_string(TextPart::Role role);

}  // namespace chancery
