#include "policy/lexicon/fold.h"

#include <gtest/gtest.h>
#include <random>

#include "core/utf8.h"

namespace chancery::policy {
namespace {

std::string folded(std::string_view text, Fold options = {}) {
  Folded out;
  Folder(options).fold(text, out);
  return std::string{out.text()};
}

// The part of `text` that the first occurrence of `what` in its folded form comes from.
std::string origin(std::string_view text, std::string_view what, Fold options = {}) {
  Folded out;
  Folder(options).fold(text, out);
  const auto at = out.text().find(what);
  if (at == std::string_view::npos) return "not found in: " + std::string{out.text()};
  const auto [begin, end] = out.original(static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + what.size()));
  return std::string{text.substr(begin, end - begin)};
}

TEST(Fold, AsciiIsLowered) {
  EXPECT_EQ(folded("Hello, World! [Z@`{"), "hello, world! [z@`{");
  EXPECT_EQ(folded(""), "");
  EXPECT_EQ(folded("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), "abcdefghijklmnopqrstuvwxyz0123456789");
}

TEST(Fold, RunsOfWhiteSpaceAreOneBlankAndCoveredWhole) {
  EXPECT_EQ(folded("a  b\t\r\nc"), "a b c");
  EXPECT_EQ(origin("x can't \t lose y", "can't lose"), "can't \t lose");
  EXPECT_EQ(origin("x can’t\u00a0\u2003lose y", "can't lose"), "can’t\u00a0\u2003lose");
}

TEST(Fold, BlanksAcrossTheEightOctetStepAreSeen) {
  for (std::size_t n = 0; n < 20; ++n) {
    const std::string text = std::string(n, 'a') + "  b";
    EXPECT_EQ(folded(text), std::string(n, 'a') + " b") << n;
  }
}

TEST(Fold, ControlsAreDropped) {
  EXPECT_EQ(folded(std::string_view{"gua\x02ran\0tee\x7f", 13}), "guarantee");
  EXPECT_EQ(folded("gu\u0085a"), "gu a");  // U+0085 is white space
}

TEST(Fold, CompatibilityFormsAreFoldedAndMappedWhole) {
  EXPECT_EQ(folded("ﬁne Straße ⅷ ＧＵＡＲ 𝐠𝐮"), "fine strasse viii guar gu");
  EXPECT_EQ(origin("a ﬁne day", "fine"), "ﬁne");
  EXPECT_EQ(origin("a ﬁne day", "ine"), "ﬁne");  // half a ligature cannot be masked
  EXPECT_EQ(origin("die STRAßE!", "strasse"), "STRAßE");
  EXPECT_EQ(origin("x ㌔ y", "キロ"), "㌔");
}

TEST(Fold, ComposedAndDecomposedAreEqual) {
  EXPECT_EQ(folded("Mu\u0308ller"), folded("MÜLLER"));
  EXPECT_EQ(origin("Herr Mu\u0308ller!", "müller"), "Mu\u0308ller");
}

TEST(Fold, InvisibleCharactersAreDroppedAndCovered) {
  EXPECT_EQ(folded("gua\u200brantee\u00ad \ufeffx"), "guarantee x");
  EXPECT_EQ(origin("we gua\u200b\u2060rantee it", "guarantee"), "gua\u200b\u2060rantee");
}

TEST(Fold, OverlaysAreDroppedAndCovered) {
  EXPECT_EQ(origin("f\u0336o\u0336x\u0336 y", "fox"), "f\u0336o\u0336x\u0336");
}

TEST(Fold, TurkishDottedAndDotlessAreI) {
  for (const auto* text : {"istanbul", "İSTANBUL", "ISTANBUL", "ıstanbul", "I\u0307stanbul"})
    EXPECT_EQ(folded(text), "istanbul") << text;
  EXPECT_EQ(origin("x İstanbul y", "istanbul"), "İstanbul");
}

TEST(Fold, LookAlikesAreFoldedInMixedWordsOnly) {
  EXPECT_EQ(folded("guаrаntее"), "guarantee");  // Cyrillic а and е
  EXPECT_EQ(folded("сор"), "сор");              // all Cyrillic: left alone
  EXPECT_EQ(folded("сор", {.confusables = Confusables::all}), "cop");
  EXPECT_EQ(folded("guаrantee", {.confusables = Confusables::off}), "guаrantee");
  EXPECT_EQ(origin("ü guаrаntее y", "guarantee"), "guаrаntее");
}

TEST(Fold, LeetIsAnOption) {
  EXPECT_EQ(folded("gu4r4nt33"), "gu4r4nt33");
  EXPECT_EQ(folded("gu4r4nt33 $ure", {.leet = true}), "guarantee sure");
  EXPECT_EQ(folded("ü gu4r", {.leet = true}), "ü guar");
}

TEST(Fold, IllFormedOctetsDoNoHarm) {
  EXPECT_EQ(origin("\xff\xc3 fox \xe2\x82", "fox"), "fox");
  EXPECT_TRUE(is_utf8(folded("\xff\xc3 fox \xe2\x82")));
}

// Whatever is put in: folded text is UTF-8, folding it again changes nothing, every range maps into the text. (Loose
// marks are left out: NFKC_Casefold itself may leave one uncomposed behind a letter that it took apart.)
TEST(Fold, RandomTextKeepsItsPromises) {
  const std::vector<std::string> parts = {"a",      "Z",      " ", "\t", "ß",  "ﬁ",  "İ",  "ı",
                                          "\u0336", "\u200b", "а", "漢", "カ", "。", "😀", "\xff",
                                          "\x01",   "Ⅷ",      "’", "ก",  "1",  "_",  "한"};
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  const Folder folder({.confusables = Confusables::off});
  Folded once, twice;
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (auto n = random() % 20; n > 0; --n) text += parts[random() % parts.size()];
    folder.fold(text, once);
    ASSERT_TRUE(is_utf8(once.text())) << "seed " << seed;
    folder.fold(once.text(), twice);
    ASSERT_EQ(once.text(), twice.text()) << "seed " << seed << " text " << text;
    std::uint32_t last = 0;
    for (std::uint32_t i = 0; i < once.text().size(); ++i) {
      const auto [begin, end] = once.original(i, i + 1);
      ASSERT_LT(begin, end) << "seed " << seed;
      ASSERT_LE(end, text.size()) << "seed " << seed;
      ASSERT_LE(last, begin) << "seed " << seed << ": order";
      last = begin;
    }
  }
}

}  // namespace
}  // namespace chancery::policy
