#include "archive/snippet.h"

#include <gtest/gtest.h>

namespace chancery::archive {
namespace {

// The snippet with its marks shown as [ ].
std::string shown(std::string_view text, std::string_view query, std::size_t width) {
  const Snippet snippet = make_snippet(text, terms_of(query), width);
  std::string out = snippet.text;
  for (auto mark = snippet.marks.rbegin(); mark != snippet.marks.rend(); ++mark) {
    out.insert(mark->second, "]");
    out.insert(mark->first, "[");
  }
  return out;
}

TEST(Snippet, ShortTextIsShownWhole) { EXPECT_EQ(shown("The Budget is tight", "budget", 80), "The [Budget] is tight"); }

TEST(Snippet, LongTextIsCutAroundTheFirstMatch) {
  const std::string text = std::string(100, 'x') + " the budget is " + std::string(100, 'y');
  const std::string out = shown(text, "budget", 30);
  EXPECT_TRUE(out.starts_with("…")) << out;
  EXPECT_TRUE(out.ends_with("…")) << out;
  EXPECT_NE(out.find("[budget]"), std::string::npos) << out;
}

TEST(Snippet, PhrasesPrefixesAndFoldedWordsAreMarked) {
  EXPECT_EQ(shown("a big red house", "\"big red\"", 80), "a [big red] house");
  EXPECT_EQ(shown("confidential", "conf*", 80), "[confidential]");
  EXPECT_EQ(shown("Frau Müller", "muller", 80), "Frau [Müller]");
}

TEST(Snippet, UnspacedTextIsMarked) {
  EXPECT_EQ(shown("我们明天开会吧", "明天", 80), "我们[明天]开会吧");
  EXPECT_EQ(shown("我们明天开会吧", "会", 80), "我们明天开[会]吧");
}

TEST(Snippet, CutsBetweenCharacters) {
  const Snippet snippet = make_snippet("жжжжжжжжжжжж", {}, 5);
  EXPECT_EQ(snippet.text, "жжжжж…");
}

TEST(Snippet, LineBreaksAndControlsAreSpaces) { EXPECT_EQ(shown("a\nb\x1b[31m\x01", "b", 80), "a [b] [31m "); }

TEST(Snippet, NoMatchShowsTheBeginning) { EXPECT_EQ(shown("hello world", "zzz", 5), "hello…"); }

}  // namespace
}  // namespace chancery::archive
