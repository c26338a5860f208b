#pragma once
// "Did you mean …?": the known word that a mistyped one is closest to.
#include <span>
#include <string_view>

namespace chancery::yaml {

// The candidate with the smallest edit distance (swapped neighbours count once), if that is small for the word's
// length; else empty.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace chancery::yaml
