#pragma once
// Folding ASCII eight octets at a time.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace chancery::policy {

inline constexpr std::uint64_t kHighBits = 0x8080808080808080U;

constexpr std::uint64_t every(unsigned octet) { return 0x0101010101010101U * octet; }

// The high bit of each octet that is below `n`; octets are below 0x80, n ≤ 0x80.
constexpr std::uint64_t below(std::uint64_t octets, unsigned n) { return ~(octets + every(0x80 - n)) & kHighBits; }

constexpr std::uint64_t to_lower(std::uint64_t octets) {
  const auto letters = below(octets, 'Z' + 1) & ~below(octets, 'A');
  return octets | (letters >> 2);  // 0x80 >> 2 is the bit by which 'A' and 'a' differ
}

// How many octets of `text` come before one that is not ASCII.
inline std::uint32_t wide_octet_in(std::string_view text) {
  static_assert(std::endian::native == std::endian::little);
  std::size_t i = 0;
  for (; i + sizeof(std::uint64_t) <= text.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t octets = 0;
    std::memcpy(&octets, text.data() + i, sizeof octets);
    if (const auto high = octets & kHighBits; high != 0)
      return static_cast<std::uint32_t>(i + static_cast<std::size_t>(std::countr_zero(high)) / 8);
  }
  while (i < text.size() && static_cast<unsigned char>(text[i]) < 0x80) ++i;
  return static_cast<std::uint32_t>(i);
}

// Writes the lower-case form of `text` to `to` as far as it is printable ASCII without two blanks in a row, `before`
// being what stands before it; returns how many octets that were. `to` has room for the text and eight octets more,
// and what is behind those that were written may be overwritten.
inline std::size_t lower_plain(std::string_view text, char before, char* to) {
  std::uint64_t before_blank = before == ' ' ? 0x80 : 0;
  for (std::size_t i = 0; i < text.size(); i += sizeof(std::uint64_t)) {
    const auto n = std::min(sizeof(std::uint64_t), text.size() - i);
    std::uint64_t octets = every('x');
    std::memcpy(&octets, text.data() + i, n);
    const auto high = octets & kHighBits;
    const auto control = below(octets & ~kHighBits, 0x20) | (~below(octets & ~kHighBits, 0x7f) & kHighBits);
    const auto blank = below(octets & ~kHighBits, 0x21);
    const auto doubled = blank & ((blank << 8) | before_blank);
    before_blank = blank >> 56;
    const auto lowered = to_lower(octets & ~kHighBits);
    std::memcpy(to + i, &lowered, sizeof lowered);
    if (const auto bad = high | control | doubled; bad != 0)
      return i + static_cast<std::size_t>(std::countr_zero(bad)) / 8;
  }
  return text.size();
}

}  // namespace chancery::policy
