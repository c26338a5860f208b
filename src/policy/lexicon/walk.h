#pragma once
// Walking UTF-8 by characters. An ill-formed octet sequence counts as U+FFFD, so every walk ends.
#include <cstdint>
#include <string>
#include <string_view>

namespace chancery::policy {

// The character at `position`, which is moved behind it. `position` < text.size().
char32_t next_character(std::string_view text, std::uint32_t& position);
// The character before `position`, which is moved to its beginning. 0 < `position` ≤ text.size().
char32_t previous_character(std::string_view text, std::uint32_t& position);
void append_character(std::string& utf8, char32_t c);  // a scalar value

}  // namespace chancery::policy
