#pragma once
// Which characters XML allows where (XML 1.0 fifth edition §2.2 and §2.3).
#include <array>
#include <bit>
#include <cstdint>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace chancery::xml {

// Classes of octets below 0x80; those above are part of a longer UTF-8 sequence and have none.
inline constexpr std::uint8_t kNameStart = 1;
inline constexpr std::uint8_t kNameNext = 2;
inline constexpr std::uint8_t kSpace = 4;
inline constexpr std::uint8_t kPlain = 8;      // stands for itself in text and values: no control, `<`, `&`, `]`, quote
inline constexpr std::uint8_t kVerbatim = 16;  // what escape() leaves as it is: kPlain and `]`, but not `>`

constexpr std::array<std::uint8_t, 256> make_classes() {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0; c < 0x80; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    const bool digit = c >= '0' && c <= '9';
    if (letter) classes[c] |= kNameStart | kNameNext;
    if (digit || c == '-' || c == '.') classes[c] |= kNameNext;
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') classes[c] |= kSpace;
    if (c >= 0x20 && c != '<' && c != '&' && c != ']' && c != '"' && c != '\'') classes[c] |= kPlain;
    if (c >= 0x20 && c != '<' && c != '>' && c != '&' && c != '"' && c != '\'') classes[c] |= kVerbatim;
  }
  return classes;
}
inline constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

inline bool is_class(char c, std::uint8_t wanted) { return (kClasses[static_cast<std::uint8_t>(c)] & wanted) != 0; }

// Char, §2.2.
constexpr bool is_char(std::uint32_t c) {
  return c == 0x9 || c == 0xa || c == 0xd || (c >= 0x20 && c <= 0xd7ff) || (c >= 0xe000 && c <= 0xfffd) ||
         (c >= 0x10000 && c <= 0x10ffff);
}

// NameStartChar beyond ASCII, §2.3.
constexpr bool is_name_start(std::uint32_t c) {
  return (c >= 0xc0 && c <= 0x2ff && c != 0xd7 && c != 0xf7) || (c >= 0x370 && c <= 0x1fff && c != 0x37e) ||
         c == 0x200c || c == 0x200d || (c >= 0x2070 && c <= 0x218f) || (c >= 0x2c00 && c <= 0x2fef) ||
         (c >= 0x3001 && c <= 0xd7ff) || (c >= 0xf900 && c <= 0xfdcf) || (c >= 0xfdf0 && c <= 0xfffd) ||
         (c >= 0x10000 && c <= 0xeffff);
}
// NameChar beyond ASCII, §2.3.
constexpr bool is_name_next(std::uint32_t c) {
  return is_name_start(c) || c == 0xb7 || (c >= 0x300 && c <= 0x36f) || c == 0x203f || c == 0x2040;
}

struct Decoded {
  std::uint32_t code = 0;
  std::uint32_t size = 0;  // 0: not UTF-8
};

// The sequence at `p`, whose first octet is at least 0x80 (Unicode §3.9 table 3-7).
inline Decoded decode_utf8(const char* p, const char* end) {
  const auto at = [&](int i) { return static_cast<std::uint8_t>(p[i]); };
  const auto follows = [&](int i) { return (at(i) & 0xc0U) == 0x80U; };
  const std::uint32_t lead = at(0);
  if (lead >= 0xc2 && lead <= 0xdf && end - p >= 2 && follows(1)) return {(lead & 0x1fU) << 6 | (at(1) & 0x3fU), 2};
  if ((lead & 0xf0U) == 0xe0 && end - p >= 3 && follows(1) && follows(2)) {
    const std::uint32_t code = (lead & 0xfU) << 12 | (at(1) & 0x3fU) << 6 | (at(2) & 0x3fU);
    return code >= 0x800 && (code < 0xd800 || code > 0xdfff) ? Decoded{code, 3} : Decoded{};
  }
  if (lead >= 0xf0 && lead <= 0xf4 && end - p >= 4 && follows(1) && follows(2) && follows(3)) {
    const std::uint32_t code = (lead & 0x7U) << 18 | (at(1) & 0x3fU) << 12 | (at(2) & 0x3fU) << 6 | (at(3) & 0x3fU);
    return code >= 0x10000 && code <= 0x10ffff ? Decoded{code, 4} : Decoded{};
  }
  return {};
}

// The first octet from `p` on that may not stand for itself (see kPlain). Most octets of a stream pass here.
inline const char* skip_plain(const char* p, const char* end) {
#if defined(__SSE2__)
  const auto is = [](__m128i v, char c) { return _mm_cmpeq_epi8(v, _mm_set1_epi8(c)); };
  for (; end - p >= 16; p += 16) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    __m128i found = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));  // signed: also everything from 0x80 on
    found = _mm_or_si128(found, _mm_or_si128(is(v, '<'), is(v, '&')));
    found = _mm_or_si128(found, _mm_or_si128(is(v, '"'), _mm_or_si128(is(v, '\''), is(v, ']'))));
    if (const unsigned mask = static_cast<unsigned>(_mm_movemask_epi8(found)); mask != 0)
      return p + std::countr_zero(mask);
  }
#endif
  while (p != end && is_class(*p, kPlain)) ++p;
  return p;
}

}  // namespace chancery::xml
