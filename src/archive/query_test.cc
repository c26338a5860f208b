#include "archive/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive/sqlite.h"

namespace chancery::archive {
namespace {

using ::testing::HasSubstr;

std::string match_of(std::string text) {
  Query query;
  query.text = std::move(text);
  return to_match(query).value_or("refused");
}

std::string problem_of(std::string text) {
  Query query;
  query.text = std::move(text);
  const auto match = to_match(query);
  return match ? "accepted: " + *match : match.error();
}

TEST(Query, WordsMustAllOccur) {
  EXPECT_EQ(match_of("budget"), R"((text : ("budget")))");
  EXPECT_EQ(match_of("budget meeting"), R"((text : (("budget" AND "meeting"))))");
  EXPECT_EQ(match_of("budget AND meeting"), match_of("budget meeting"));
}

TEST(Query, PhrasesPrefixesAndNear) {
  EXPECT_EQ(match_of("\"quarterly results\""), R"((text : ("quarterly results")))");
  EXPECT_EQ(match_of("conf*"), R"((text : ("conf" *)))");
  EXPECT_EQ(match_of("\"new conf\"*"), R"((text : ("new conf" *)))");
  EXPECT_EQ(match_of("NEAR(guarantee \"big return\", 3)"), R"((text : (NEAR("guarantee" "big return" , 3))))");
  EXPECT_EQ(match_of("NEAR(a b)"), R"((text : (NEAR("a" "b" , 10))))");
}

TEST(Query, NotBindsTightestThenAndThenOr) {
  EXPECT_EQ(match_of("a b NOT c OR d"), R"((text : ((("a" AND ("b" NOT "c")) OR "d"))))");
  EXPECT_EQ(match_of("a (b OR c)"), R"((text : (("a" AND ("b" OR "c")))))");
}

TEST(Query, OperatorsAreInCapitalsElseWords) {
  EXPECT_EQ(match_of("not and or near"), R"((text : (((("not" AND "and") AND "or") AND "near"))))");
}

TEST(Query, SyntaxOfFts5IsOnlyText) {
  EXPECT_EQ(match_of("tags:x"), R"((text : ("tags:x")))");
  EXPECT_EQ(match_of("{tags}:x"), R"((text : ("{tags}:x")))");
  EXPECT_EQ(match_of("^x + y"), "refused");  // "+" has no letter
  EXPECT_EQ(match_of("a;DROP'--"), R"((text : ("a;DROP'--")))");
  EXPECT_EQ(match_of("\x01"
                     "f:alice"),
            R"((text : ("f:alice")))");
  EXPECT_EQ(match_of("x\x01"
                     "f:alice"),
            R"((text : (("x" AND "f:alice"))))");
}

TEST(Query, WhatIsWrongIsSaidWithWhatIsValid) {
  for (const auto* text : {"\"open", "a AND", "OR b", "NOT b", "(a", "a)", "NEAR(a b", "NEAR(a, x)", "NEAR()",
                           "NEAR(, 3)", "NEAR(a b, 1001)", "NEAR(a (b))", "!!!", "a NOT", "()", "a,b", "*"})
    EXPECT_THAT(problem_of(text), HasSubstr("A query is made of")) << text;
  EXPECT_THAT(problem_of("\"open"), HasSubstr("never closed"));
  EXPECT_THAT(problem_of("NOT b"), HasSubstr("before it"));
  EXPECT_THAT(problem_of("a !!!"), HasSubstr("character 3"));
}

TEST(Query, LimitsOnLengthTermsAndDepth) {
  EXPECT_THAT(problem_of(std::string(kQuerySizeMax + 1, 'a')), HasSubstr("longer"));
  std::string many;
  for (int i = 0; i <= kQueryTermsMax; ++i) many += "a ";
  EXPECT_THAT(problem_of(many), HasSubstr("more than"));
  EXPECT_THAT(problem_of(std::string(2000, '(')), HasSubstr("deep"));
  EXPECT_THAT(problem_of("\xff\xfe"), HasSubstr("UTF-8"));
}

TEST(Query, FiltersBecomeTags) {
  Query query;
  query.from = {"alice@IM.test"};
  EXPECT_EQ(to_match(query),
            "(tags : (\"\x01"
            "f:alice@im.test\"))");
  query.from = {"alice"};
  EXPECT_EQ(to_match(query),
            "(tags : (\"\x01"
            "f:alice\" OR \"\x01"
            "f:alice@\" *))");
  query.from = {"a\"b@c", "\x01k:message@x"};
  EXPECT_EQ(to_match(query),
            "(tags : (\"\x01"
            "f:a\"\"b@c\" OR \"\x01"
            "f: k:message@x\"))");
}

TEST(Query, UnknownKindsAndVerdictsAreNamed) {
  Query query;
  query.kind = {"gossip"};
  EXPECT_THAT(to_match(query).error(), HasSubstr("gossip"));
  query.kind = {"message"};
  query.verdict = {"maybe"};
  EXPECT_THAT(to_match(query).error(), HasSubstr("maybe"));
  query.verdict = {"refuse"};
  EXPECT_TRUE(to_match(query).has_value());
}

TEST(Query, NothingAskedForIsAnEmptyMatch) { EXPECT_EQ(match_of("  "), ""); }

TEST(Query, TermsLeaveOutWhatNotTakesAway) {
  const auto terms = terms_of("Über \"a phrase\" conf* NOT draft");
  ASSERT_EQ(terms.size(), 3U);
  EXPECT_EQ(terms[0].words, std::vector<std::string>{"uber"});
  EXPECT_EQ(terms[1].words, (std::vector<std::string>{"a", "phrase"}));
  EXPECT_TRUE(terms[2].prefix);
}

TEST(Query, EveryAcceptedQueryIsAcceptedByFts5) {
  Database database{":memory:", Database::Mode::write};
  database.execute("CREATE VIRTUAL TABLE word USING fts5(text, tags, content='', tokenize='chancery')");
  for (const auto* text : {"a", "a b NOT c OR d", "NEAR(a \"b c\", 3) OR x*", "\"a\"* (b OR 你好)", "e-mail's", "👍",
                           "NEAR(a)", "a NOT (b OR c) d"}) {
    Query query;
    query.text = text;
    query.from = {"o'brien\"", "*"};
    query.kind = {"message"};
    Statement statement{database, "SELECT rowid FROM word WHERE word MATCH ?1"};
    const auto match = to_match(query);
    ASSERT_TRUE(match) << text;
    statement.bind(1, *match);
    EXPECT_NO_THROW(statement.step()) << *match;
  }
}

}  // namespace
}  // namespace chancery::archive
