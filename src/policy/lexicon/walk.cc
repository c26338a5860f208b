#include "policy/lexicon/walk.h"

#include <array>
#include <unicode/utf8.h>

// ICU's macros mix signed and unsigned octets on purpose.
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"

namespace chancery::policy {
namespace {

const std::uint8_t* octets_of(std::string_view text) { return reinterpret_cast<const std::uint8_t*>(text.data()); }

}  // namespace

char32_t next_character(std::string_view text, std::uint32_t& position) {
  const auto* octets = octets_of(text);
  const auto size = static_cast<std::int32_t>(text.size());
  auto i = static_cast<std::int32_t>(position);
  UChar32 c = 0;
  U8_NEXT_OR_FFFD(octets, i, size, c);
  position = static_cast<std::uint32_t>(i);
  return static_cast<char32_t>(c);
}

char32_t previous_character(std::string_view text, std::uint32_t& position) {
  const auto* octets = octets_of(text);
  auto i = static_cast<std::int32_t>(position);
  UChar32 c = 0;
  U8_PREV_OR_FFFD(octets, 0, i, c);
  position = static_cast<std::uint32_t>(i);
  return static_cast<char32_t>(c);
}

void append_character(std::string& utf8, char32_t c) {
  std::array<std::uint8_t, U8_MAX_LENGTH> octets{};
  std::size_t size = 0;
  U8_APPEND_UNSAFE(octets.data(), size, c);
  utf8.append(reinterpret_cast<const char*>(octets.data()), size);
}

}  // namespace chancery::policy
