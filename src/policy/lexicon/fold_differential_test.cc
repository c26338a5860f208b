// The fast folding and ICU's own give the same, octet by octet, with the same way back.
#include <gtest/gtest.h>
#include <random>
#include <unicode/uchar.h>

#include "core/encoding.h"
#include "policy/lexicon/fold.h"
#include "policy/lexicon/fold_oracle.h"
#include "policy/lexicon/walk.h"

namespace chancery::policy {
namespace {

// Empty: equal.
std::string difference(std::string_view text, Fold options, Folded& fast) {
  Folder(options).fold(text, fast);
  const OracleFolded slow = fold_by_icu(text, options);
  if (fast.text() != slow.text)
    return "of " + to_hex(text) + ": fast " + to_hex(fast.text()) + ", ICU " + to_hex(slow.text);
  for (std::uint32_t i = 0; i < slow.text.size(); ++i)
    if (fast.original(i, i + 1) != slow.origins[i])
      return "of " + to_hex(text) + ": octet " + std::to_string(i) + " comes from elsewhere";
  return {};
}

// Alone, within a word, behind an i, twice, before a mark that composes, before one that strikes through.
void append_surroundings(std::string& text, char32_t c) {
  for (const std::u32string& form :
       {std::u32string{c}, {U'a', c, U'Z', U' ', U'i', c, U' ', U' '}, {c, c, 0x301}, {c, 0x336, 0x430, c}, {U'\t'}})
    for (const char32_t one : form) append_character(text, one);
}

TEST(FoldDifferential, EveryCodePointFoldsAsIcuFoldsIt) {
  Folded folded;
  std::string text;
  for (char32_t c = 0; c <= 0x10ffff; ++c) {
    if (c >= 0xd800 && c < 0xe000) continue;
    // Characters that nobody has assigned are all alike: a sample will do.
    if (u_isdefined(static_cast<UChar32>(c)) == 0 && c % 64 != 0) continue;
    if (c >= 0xac00 && c < 0xd7a4 && c % 28 > 2) continue;     // Hangul syllables are made by rule
    if (c >= 0x20000 && c < 0xe0000 && c % 16 != 0) continue;  // as are the ideographs beyond the basic plane
    if (c >= 0xf0000 && c % 256 != 0) continue;                // and private use
    text.clear();
    append_surroundings(text, c);
    ASSERT_EQ(difference(text, {}, folded), "") << "U+" << std::hex << static_cast<std::uint32_t>(c);
  }
}

char32_t any_character(std::mt19937& random) {
  static const std::vector<char32_t> kTricky = {
      U' ',    U'\t',  U'i',   U'I',   0x130,  0x131,  0x307,  0x301,  0x308,  0x336,  0x338,  0x345,  0x200b,
      0xad,    0xfb01, 0xdf,   0x1e9e, 0x2019, 0x2013, 0x2212, 0xa0,   0x3000, 0x85,   0x430,  0x435,  0x441,
      0x3bf,   0x3c3,  0x1100, 0x1161, 0x11a8, 0xac00, 0xfdfa, 0x1f82, 0x2126, 0x212b, 0x0f73, 0x0fb2, 0x0f71,
      0x1d165, 0x0958, 0x09dc, 0xff21, 0xff76, 0xff9e, 0x30ab, 0x3099, 0xfffd, 0xfeff, 0x34f,  0x61c,  0xe0001};
  static constexpr std::pair<char32_t, char32_t> kBlocks[] = {
      {0x00, 0x7f},     {0x80, 0x24f},    {0x250, 0x36f},   {0x370, 0x52f},     {0x530, 0x8ff},    {0x900, 0xdff},
      {0xe00, 0x11ff},  {0x1e00, 0x1fff}, {0x2000, 0x2bff}, {0x3000, 0x33ff},   {0x4e00, 0x4fff},  {0xa640, 0xabff},
      {0xac00, 0xad00}, {0xf900, 0xfaff}, {0xfb00, 0xffff}, {0x10000, 0x1d7ff}, {0x1f300, 0x1f6ff}};
  switch (random() % 4) {
    case 0:
      return kTricky[random() % kTricky.size()];
    case 1:
      return "abcXYZ019 .-'_\r"[random() % 15] & 0x7f;
    default: {
      const auto& [first, last] = kBlocks[random() % std::size(kBlocks)];
      return first + static_cast<char32_t>(random() % (last - first + 1));
    }
  }
}

TEST(FoldDifferential, RandomTextFoldsAsIcuFoldsIt) {
  const auto* given = std::getenv("CHANCERY_SEED");
  const auto seed = given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device{}();
  std::mt19937 random(seed);
  Folded folded;
  for (int round = 0; round < 30'000; ++round) {
    std::string text;
    for (auto n = random() % 40; n > 0; --n)
      if (random() % 50 == 0)
        text += static_cast<char>(random() % 256);  // ill-formed
      else
        append_character(text, any_character(random));
    const Fold options{.confusables = static_cast<Confusables>(random() % 3), .leet = random() % 4 == 0};
    ASSERT_EQ(difference(text, options, folded), "") << "CHANCERY_SEED=" << seed;
  }
}

}  // namespace
}  // namespace chancery::policy
