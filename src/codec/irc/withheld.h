#pragma once
// The closed list of what a server offers and the gateway takes out, with the reason for each in docs/protocols/irc.md.
#include <vector>

#include "codec/irc/line.h"
#include "codec/irc/text.h"

namespace chancery::irc {

bool is_withheld_capability(Bytes name);  // "sts"; without value or '-'
bool is_withheld_mechanism(Bytes name);   // "EXTERNAL", "SCRAM-SHA-256-PLUS"

// Edits that take the withheld ones out of the capabilities that `list` names, and mechanisms out of `sasl=`.
std::vector<Edit> withhold_capabilities(const Line& line, Span list);
// The same of a comma-separated list of mechanisms (908).
std::vector<Edit> withhold_mechanisms(const Line& line, Span list);

// Words of a space-separated list.
std::vector<Span> split_words(const Line& line, Span list);

}  // namespace chancery::irc
