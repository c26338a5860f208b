#pragma once
// For tests: folding as ICU alone does it, character by character and without tables, to compare the fast one with.
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/text.h"

namespace chancery::policy {

struct OracleFolded {
  std::string text;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> origins;  // of each octet
};
OracleFolded fold_by_icu(std::string_view text, Fold options);

}  // namespace chancery::policy
