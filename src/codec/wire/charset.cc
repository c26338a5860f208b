#include "codec/wire/charset.h"

#include <array>
#include <cstdint>

#include "core/utf8.h"

namespace chancery {
namespace {

constexpr char32_t kReplacement = 0xfffd;

using Upper = std::array<char16_t, 128>;  // what 0x80-0xff mean; 0: nothing

// https://encoding.spec.whatwg.org/index-windows-1252.txt: 0xa0-0xff are as in ISO-8859-1.
constexpr std::array<char16_t, 32> kWindows1252{0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                                0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
                                                0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                                0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

constexpr Upper upper_1252() {
  Upper upper{};
  for (std::size_t i = 0; i < upper.size(); ++i)
    upper[i] = i < kWindows1252.size() ? kWindows1252[i] : static_cast<char16_t>(0x80 + i);
  return upper;
}

// https://encoding.spec.whatwg.org/index-windows-1250.txt
constexpr Upper kUpper1250{
    0x20ac, 0,      0x201a, 0,      0x201e, 0x2026, 0x2020, 0x2021, 0,      0x2030, 0x0160, 0x2039, 0x015a,
    0x0164, 0x017d, 0x0179, 0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0,      0x2122,
    0x0161, 0x203a, 0x015b, 0x0165, 0x017e, 0x017a, 0x00a0, 0x02c7, 0x02d8, 0x0141, 0x00a4, 0x0104, 0x00a6,
    0x00a7, 0x00a8, 0x00a9, 0x015e, 0x00ab, 0x00ac, 0x00ad, 0x00ae, 0x017b, 0x00b0, 0x00b1, 0x02db, 0x0142,
    0x00b4, 0x00b5, 0x00b6, 0x00b7, 0x00b8, 0x0105, 0x015f, 0x00bb, 0x013d, 0x02dd, 0x013e, 0x017c, 0x0154,
    0x00c1, 0x00c2, 0x0102, 0x00c4, 0x0139, 0x0106, 0x00c7, 0x010c, 0x00c9, 0x0118, 0x00cb, 0x011a, 0x00cd,
    0x00ce, 0x010e, 0x0110, 0x0143, 0x0147, 0x00d3, 0x00d4, 0x0150, 0x00d6, 0x00d7, 0x0158, 0x016e, 0x00da,
    0x0170, 0x00dc, 0x00dd, 0x0162, 0x00df, 0x0155, 0x00e1, 0x00e2, 0x0103, 0x00e4, 0x013a, 0x0107, 0x00e7,
    0x010d, 0x00e9, 0x0119, 0x00eb, 0x011b, 0x00ed, 0x00ee, 0x010f, 0x0111, 0x0144, 0x0148, 0x00f3, 0x00f4,
    0x0151, 0x00f6, 0x00f7, 0x0159, 0x016f, 0x00fa, 0x0171, 0x00fc, 0x00fd, 0x0163, 0x02d9};

constexpr Upper kUpper1252 = upper_1252();

std::string from_single_octets(Bytes octets, const Upper& upper) {
  std::string text;
  text.reserve(octets.size());
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    const char16_t mapped = octet < 0x80 ? octet : upper[octet - 0x80U];
    append_utf8(text, octet >= 0x80 && mapped == 0 ? kReplacement : mapped);
  }
  return text;
}

template <class Unit>
std::string from_utf16(Bytes octets, Unit&& unit_at) {
  std::string text;
  text.reserve(octets.size());
  const std::size_t units = octets.size() / 2;
  for (std::size_t i = 0; i < units; ++i) {
    const char32_t unit = unit_at(i);
    if (i == 0 && unit == 0xfeff) continue;
    const bool high = unit >= 0xd800 && unit < 0xdc00;
    const char32_t low = high && i + 1 < units ? unit_at(i + 1) : 0;
    if (high && low >= 0xdc00 && low < 0xe000) {
      append_utf8(text, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
      ++i;
    } else {
      append_utf8(text, unit);
    }
  }
  return text;
}

}  // namespace

void append_utf8(std::string& text, char32_t code_point) {
  if (code_point > 0x10ffff || (code_point >= 0xd800 && code_point < 0xe000)) code_point = kReplacement;
  const auto trail = [&](unsigned shift) { text += static_cast<char>(0x80 | ((code_point >> shift) & 0x3f)); };
  if (code_point < 0x80) {
    text += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    text += static_cast<char>(0xc0 | code_point >> 6);
    trail(0);
  } else if (code_point < 0x10000) {
    text += static_cast<char>(0xe0 | code_point >> 12);
    trail(6);
    trail(0);
  } else {
    text += static_cast<char>(0xf0 | code_point >> 18);
    trail(12);
    trail(6);
    trail(0);
  }
}

std::string from_windows_1252(Bytes octets) { return from_single_octets(octets, kUpper1252); }
std::string from_windows_1250(Bytes octets) { return from_single_octets(octets, kUpper1250); }

std::string from_utf16_be(Bytes octets) {
  return from_utf16(octets, [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(octets[2 * i])) << 8 |
           static_cast<unsigned char>(octets[2 * i + 1]);
  });
}

std::string from_utf16_le(Bytes octets) {
  return from_utf16(octets, [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(octets[2 * i + 1])) << 8 |
           static_cast<unsigned char>(octets[2 * i]);
  });
}

std::string from_unstated(Bytes octets) { return is_utf8(octets) ? std::string{octets} : from_windows_1252(octets); }

}  // namespace chancery
