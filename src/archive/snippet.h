#pragma once
// The piece of a text that shows why it was found.
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "archive/query.h"

namespace chancery::archive {

struct Snippet {
  std::string text;                                        // one line: line breaks and control characters are spaces
  std::vector<std::pair<std::size_t, std::size_t>> marks;  // octets of `text` that a term matched, in order
};

// About `width` characters around the first match, "…" where something was left out.
Snippet make_snippet(std::string_view text, std::span<const Term> terms, std::size_t width);

}  // namespace chancery::archive
