#pragma once
#include <cstdint>

namespace chancery::policy {

// The ASCII letter that a case-folded character passes for (Unicode TS #39 "confusables", single letters only):
// Cyrillic а → 'a'. 0: none.
char lookalike(char32_t c);

}  // namespace chancery::policy
