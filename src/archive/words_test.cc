#include "archive/words.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <utility>
#include <vector>

namespace chancery::archive {
namespace {

class List final : public WordSink {
 public:
  bool word(const Word& word) override {
    words.push_back((word.same_position ? "=" : "") + std::string{word.folded});
    places.emplace_back(word.begin, word.end);
    return words.size() < limit;
  }
  std::vector<std::string> words;
  std::vector<std::pair<std::size_t, std::size_t>> places;
  std::size_t limit = SIZE_MAX;
};

using Words = std::vector<std::string>;

Words indexed(std::string_view text) {
  List list;
  cut_words(text, WordsFor::index, list);
  return list.words;
}

Words queried(std::string_view text) {
  List list;
  cut_words(text, WordsFor::query, list);
  return list.words;
}

TEST(Words, RunsOfLettersAndDigitsInLowerCase) {
  EXPECT_EQ(indexed("Meet me at 10:30, Bob_1!"), (Words{"meet", "me", "at", "10", "30", "bob", "1"}));
  EXPECT_EQ(indexed(" \t\n--- "), Words{});
}

TEST(Words, CaseAndDiacriticsAreFolded) {
  EXPECT_EQ(indexed("MÜLLER Müller mu\xcc\x88ller"), (Words{"muller", "muller", "muller"}));
  EXPECT_EQ(indexed("STRASSE straße"), (Words{"strasse", "strasse"}));
  EXPECT_EQ(indexed("Ángström ÉTÉ Żółć"), (Words{"angstrom", "ete", "zołc"}));
  EXPECT_EQ(indexed("Привёт ΑΘΗΝΆ"), (Words{"привет", "αθηνα"}));
}

TEST(Words, WidthAndLigaturesAreFolded) { EXPECT_EQ(indexed("ＡＢＣ ﬁne"), (Words{"abc", "fine"})); }

TEST(Words, ScriptsWithoutSpacesBecomePairsAndSingleCharacters) {
  EXPECT_EQ(indexed("你好吗"), (Words{"你好", "=你", "好吗", "=好", "=吗"}));
  EXPECT_EQ(indexed("你"), Words{"你"});
  EXPECT_EQ(indexed("你好"), (Words{"你好", "=你", "=好"}));
  EXPECT_EQ(queried("你好吗"), (Words{"你好", "好吗"}));
  EXPECT_EQ(queried("你"), Words{"你"});
}

TEST(Words, EveryPieceOfUnspacedTextIsFoundAsItsQueryWords) {
  const std::vector<std::string> characters{"東", "京", "タ", "ワ", "ー", "に", "行", "く"};
  std::string text;
  for (const auto& each : characters) text += each;
  Words singles_and_pairs = indexed(text);
  for (auto& word : singles_and_pairs) word = word.starts_with('=') ? word.substr(1) : word;
  for (std::size_t i = 0; i < characters.size(); ++i) {
    std::string piece;
    for (std::size_t k = i; k < characters.size(); ++k) {
      piece += characters[k];
      for (const auto& word : queried(piece))
        EXPECT_NE(std::ranges::find(singles_and_pairs, word), singles_and_pairs.end()) << piece << ": " << word;
    }
  }
}

TEST(Words, LettersBesideUnspacedTextAreWordsOfTheirOwn) {
  EXPECT_EQ(indexed("PDF文件v2"), (Words{"pdf", "文件", "=文", "=件", "v2"}));
}

TEST(Words, HangulStaysComposedAndThaiKeepsItsVowels) {
  EXPECT_EQ(queried("한국어"), (Words{"한국", "국어"}));
  EXPECT_EQ(queried("ที่"), (Words{"ที", "ี่"}));
}

TEST(Words, AnEmojiIsAWord) { EXPECT_EQ(indexed("ok👍🎉"), (Words{"ok", "👍", "🎉"})); }

TEST(Words, PlacesAreThoseOfTheTextAsItWas) {
  List list;
  cut_words("Über, 你好", WordsFor::query, list);
  EXPECT_EQ(list.places, (std::vector<std::pair<std::size_t, std::size_t>>{{0, 5}, {7, 13}}));
}

TEST(Words, IllFormedOctetsSeparateWords) {
  EXPECT_EQ(indexed("ab\xff"
                    "cd\xe4\xbd"),
            (Words{"ab", "cd"}));
}

TEST(Words, ALongWordIsCutAlikeInIndexAndQuery) {
  const std::string text(500, 'x');
  EXPECT_EQ(indexed(text), Words{std::string(kWordSizeMax, 'x')});
  EXPECT_EQ(indexed(text), queried(text));
  std::string wide = "x";
  for (int i = 0; i < 100; ++i) wide += "ж";
  EXPECT_EQ(indexed(wide).at(0).size(), kWordSizeMax - 1) << "not in the middle of a character";
}

TEST(Words, ASinkCanStopTheCutting) {
  for (const auto* text : {"a b c", "你好吗呢", "👍👍👍"}) {
    List list;
    list.limit = 2;
    EXPECT_FALSE(cut_words(text, WordsFor::index, list));
    EXPECT_EQ(list.words.size(), 2U) << text;
  }
}

TEST(Words, TagsAreWordsAsTheyAre) {
  EXPECT_EQ(indexed("\x01"
                    "f:alice@im.test\x01k:Message"),
            (Words{"f:alice@im.test", "k:Message"}));
}

TEST(Words, NoTextGivesAWordWithATagMark) {
  EXPECT_EQ(indexed("a\x01"
                    "f:bob"),
            (Words{"a", "f", "bob"}));
}

TEST(Fold, AddressesKeepTheirPunctuation) {
  EXPECT_EQ(fold("Alice.Müller@IM.Test/Phone"), "alice.muller@im.test/phone");
}

}  // namespace
}  // namespace chancery::archive
