#include "policy/lexicon/lexicon.h"

#include <gtest/gtest.h>

#include "policy/test_support.h"

namespace chancery::policy {
namespace {

using namespace testing;

// A policy with one redacting rule; what is left of `text`.
std::string redacted(std::string_view terms, std::string_view text, std::string_view more = "") {
  const auto policy = policy_of("lexicon:\n  rules:\n    - {id: r, action: redact, terms: " + std::string{terms} +
                                std::string{more} + "}\n");
  const auto event = message(text);
  const auto decision = decide(*policy, event);
  EXPECT_EQ(decision.verdict, decision.masks.empty() ? Verdict::forward : Verdict::redact);
  return masked(text, decision.masks, 0);
}

bool hits(std::string_view terms, std::string_view text) { return redacted(terms, text) != text; }

TEST(Lexicon, ATermIsAWordNotAPartOfOne) {
  EXPECT_EQ(redacted("[fox]", "The Fox, firefox and foxes; fox_1 (fox) fox's"),
            "The ***, firefox and foxes; fox_1 (***) ***'s");
}

TEST(Lexicon, WordBoundariesAreUnicodes) {
  EXPECT_FALSE(hits("[ller]", "Herr Müller"));
  EXPECT_FALSE(hits("[ber]", "über"));
  EXPECT_TRUE(hits("[über]", "das ist über alles"));
  EXPECT_TRUE(hits("[Müller]", "Herr MU\u0308LLER!"));
  EXPECT_FALSE(hits("[ü]", "aüb"));
  EXPECT_FALSE(hits("[м]", "мир"));
}

TEST(Lexicon, ChineseWordsAreFoundWithoutSpaces) {
  EXPECT_EQ(redacted("[保证]", "我们保证收益"), "我们**收益");
  EXPECT_FALSE(hits("[京都]", "東京都に行く"));  // 東京 + 都, not 東 + 京都
  EXPECT_TRUE(hits("[東京]", "東京都に行く"));
}

TEST(Lexicon, ThaiWordsAreFoundWithoutSpaces) { EXPECT_TRUE(hits("[รับประกัน]", "เรารับประกันกำไร")); }

TEST(Lexicon, PhrasesCrossAnyWhiteSpace) {
  EXPECT_EQ(redacted("['can''t lose']", "you Can’t \n lose!"), "you ************!");
  EXPECT_FALSE(hits("['can''t lose']",
                    "can't lose"
                    "r"));
}

TEST(Lexicon, StarsStandForTheRestOfAWord) {
  EXPECT_EQ(redacted("['guarant*']", "guarant, Guaranteed. unguaranteed guaran"),
            "*******, **********. unguaranteed guaran");
  EXPECT_EQ(redacted("['*coin']", "bitcoin coin coins"), "******* **** coins");
  EXPECT_EQ(redacted("['*uaran*']", "a GUARANTEE b"), "a ********* b");
  EXPECT_EQ(redacted("['pump * dump']", "pump and dump, pump dump, pump and then dump"),
            "*************, pump dump, pump and then dump");
  EXPECT_EQ(redacted("['colo*r']", "color colour colouring col r"), "***** ****** colouring col r");
  EXPECT_EQ(redacted("['gar* zins*']", "Garantierter  Zinssatz heute"), "********************** heute");
}

TEST(Lexicon, AnEscapedStarIsAStar) {
  EXPECT_EQ(redacted("['f\\*ck']", "what the f*ck, fck, fxck"), "what the ****, fck, fxck");
}

TEST(Lexicon, TermsOfSignsNeedNoWordAround) {
  EXPECT_EQ(redacted("['$$$', 'c++']", "pay$$$now in c++!"), "pay***now in ***!");
}

TEST(Lexicon, MasksCoverTheOriginalExactly) {
  EXPECT_EQ(redacted("[fine]", "a ﬁne day"), "a *** day");
  EXPECT_EQ(redacted("[guarantee]", "wir gua\u200brantee das"), "wir ********** das");
  EXPECT_EQ(redacted("[strasse]", "die Straße!"), "die ******!");
  EXPECT_EQ(redacted("[guarantee]", "we guаrаntее it"), "we ********* it");
  EXPECT_EQ(redacted("[geheim]", "😀 geheim 😀"), "😀 ****** 😀");
}

TEST(Lexicon, OverlappingMasksAreOne) {
  const auto policy = policy_of(R"(lexicon:
  rules:
    - {id: a, action: redact, terms: [insider tip, tip off]}
    - {id: b, action: redact, terms: ['tip*']}
)");
  const auto decision = decide(*policy, message("insider tip off now"));
  EXPECT_EQ(decision.masks, (std::vector<Mask>{{0, 0, 15}}));
  EXPECT_EQ(decision.rules, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(decision.rule, "a");
}

TEST(Lexicon, AnExceptionCancelsTheHitsWithinIt) {
  const auto* except = ", except: [returns are not guaranteed, 'not guarant*']";
  EXPECT_EQ(redacted("['guarant*']", "Returns are not guaranteed.", except), "Returns are not guaranteed.");
  EXPECT_EQ(redacted("['guarant*']", "Not guaranteed? We guarantee it: not guaranteed", except),
            "Not guaranteed? We ********* it: not guaranteed");
}

TEST(Lexicon, AnExceptionOfOneRuleLeavesOthersAlone) {
  const auto policy = policy_of(R"(lexicon:
  rules:
    - {id: a, action: flag, terms: [guaranteed], except: [not guaranteed]}
    - {id: b, action: flag, terms: [guaranteed]}
)");
  EXPECT_EQ(decide(*policy, message("not guaranteed")).rules, (std::vector<std::string>{"b"}));
  EXPECT_EQ(decide(*policy, message("guaranteed")).rules, (std::vector<std::string>{"a", "b"}));
}

TEST(Lexicon, EveryTextOfAnEventIsRead) {
  const auto policy = policy_of("lexicon:\n  rules:\n    - {id: r, action: redact, terms: [fox]}\n");
  auto event = message("a fox");
  event.texts.push_back({TextPart::Role::body, "de", "ein Fuchs", {}});
  event.texts.push_back({TextPart::Role::subject, "", "fox!", {}});
  event.texts.push_back({TextPart::Role::xhtml, "", "a fox", {}});
  event.texts.push_back({TextPart::Role::reason, "", "the fox", {}});
  EXPECT_EQ(decide(*policy, event).masks, (std::vector<Mask>{{0, 2, 5}, {2, 0, 3}, {3, 2, 5}, {4, 4, 7}}));
}

TEST(Lexicon, AFileNameThatCannotBeMaskedIsRefused) {
  const auto policy = policy_of("lexicon:\n  rules:\n    - {id: r, action: redact, terms: [fox]}\n");
  Event offer = message("see");
  offer.kind = Kind::file_offer;
  offer.files.emplace_back().name = "fox.pdf";
  const auto decision = decide(*policy, offer);
  EXPECT_EQ(decision.verdict, Verdict::refuse);
  EXPECT_TRUE(decision.masks.empty());
  EXPECT_FALSE(decision.notice.empty());
}

TEST(Lexicon, RefuseBeatsRedactAndFlag) {
  const auto policy = policy_of(R"(lexicon:
  rules:
    - {id: f, action: flag, terms: [fox]}
    - {id: r, action: redact, terms: [fox]}
    - {id: n, action: refuse, terms: [fox], notice: No foxes.}
)");
  const auto decision = decide(*policy, message("fox"));
  EXPECT_EQ(decision.verdict, Verdict::refuse);
  EXPECT_EQ(decision.rule, "n");
  EXPECT_EQ(decision.rules, (std::vector<std::string>{"f", "r", "n"}));
  EXPECT_EQ(decision.notice, "No foxes.");
  EXPECT_TRUE(decision.masks.empty());
}

TEST(Lexicon, ARuleCanBeForSomeOnly) {
  const auto policy =
      policy_of("lexicon:\n  rules:\n    - {id: r, action: flag, terms: [fox], direction: out, to: [x.test]}\n");
  EXPECT_EQ(decide(*policy, message("fox")).verdict, Verdict::forward);
  EXPECT_EQ(decide(*policy, message("fox", "alice@im.test", {"bob@im.test", "eve@x.test"})).verdict, Verdict::flag);
  EXPECT_EQ(decide(*policy, message("fox", "eve@x.test", {"eve@x.test"}), Side::server).verdict, Verdict::forward);
}

TEST(Lexicon, HostileTextTakesLinearTime) {
  const auto policy = policy_of(R"(lexicon:
  rules:
    - {id: r, action: redact, terms: ['aa*a*a*a*a*a*a*ab', '*aa*', guarant*], except: [not guaranteed]}
)");
  std::string text(100'000, 'a');
  decide(*policy, message(text));
  text.clear();
  for (int i = 0; i < 10'000; ++i) text += "not guaranteed guaranteed ";
  EXPECT_EQ(decide(*policy, message(text)).masks.size(), 10'000U);
}

TEST(Lexicon, BadTermsAreErrorsWithTheirLine) {
  EXPECT_EQ(
      error_of("lexicon:\n  rules:\n    - id: r\n      action: flag\n      terms:\n        - fox\n        - '*'\n"),
      "p.yaml:8: term \"*\": nothing to look for: after folding, no character is left");
  EXPECT_EQ(error_of("lexicon: {rules: [{id: r, action: flag, terms: ['a*']}]}"),
            "p.yaml:2: term \"a*\": a term with a star needs at least 2 characters in a row");
  EXPECT_NE(error_of("lexicon: {rules: [{id: r, action: flag, terms: [\"\\u200b\"]}]}"), "no error");
}

class MemoryCache : public Cache {
 public:
  std::map<std::string, Buffer, std::less<>> kept;
  int loads = 0;
  std::optional<Buffer> load(std::string_view key) override {
    ++loads;
    const auto found = kept.find(key);
    return found == kept.end() ? std::nullopt : std::optional{found->second};
  }
  void store(std::string_view key, Bytes octets) override { kept[std::string{key}] = octets; }
};

TEST(Lexicon, ACompiledDatabaseIsKeptAndUsed) {
  const std::string text = "version: 1\nlexicon: {rules: [{id: r, action: flag, terms: [fox, 'guarant*']}]}";
  MemoryCache cache;
  compile(text, "p", &cache);
  ASSERT_EQ(cache.kept.size(), 1U);
  const auto stored = cache.kept;
  const auto policy = compile(text, "p", &cache);
  EXPECT_EQ(cache.loads, 2);
  EXPECT_EQ(cache.kept, stored);
  EXPECT_EQ(decide(*policy, message("a fox")).verdict, Verdict::flag);
  EXPECT_EQ(decide(*policy, message("a dog")).verdict, Verdict::forward);
}

TEST(Lexicon, ADamagedDatabaseIsRebuilt) {
  const std::string text = "version: 1\nlexicon: {rules: [{id: r, action: flag, terms: [fox]}]}";
  MemoryCache cache;
  compile(text, "p", &cache);
  const auto good = cache.kept;
  auto& octets = cache.kept.begin()->second;
  for (const std::size_t at : {std::size_t{0}, std::size_t{40}, octets.size() / 2, octets.size() - 1}) {
    cache.kept = good;
    cache.kept.begin()->second[at] ^= 1;
    const auto policy = compile(text, "p", &cache);
    EXPECT_EQ(decide(*policy, message("fox")).verdict, Verdict::flag);
    EXPECT_EQ(cache.kept, good) << "rebuilt and stored again";
  }
  cache.kept.begin()->second.resize(20);
  EXPECT_EQ(decide(*compile(text, "p", &cache), message("fox")).verdict, Verdict::flag);
}

}  // namespace
}  // namespace chancery::policy
