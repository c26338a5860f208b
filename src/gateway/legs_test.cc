#include "gateway/legs.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <random>

#include "event/mask.h"

namespace chancery::gateway {
namespace {

ConversationId conversation(std::uint8_t number) {
  ConversationId id;
  id.octets.fill(number);
  return id;
}

ConnectionId leg(std::uint32_t number) {
  ConnectionId id;
  std::memcpy(id.octets.data(), &number, sizeof number);
  return id;
}

Event message(const std::string& text, const std::string& id = {}, const std::string& from = "alice@im.test") {
  Event event;
  event.from = from;
  event.to = {"bob@im.test"};
  event.id = id;
  event.texts.push_back({TextPart::Role::body, {}, text, {}});
  return event;
}

struct LegsTest : ::testing::Test {
  Legs legs{1000};
  Instant now = from_unix_ns(1'700'000'000'000'000'000);
  ConversationId here = conversation(1);

  void add(const Event& event, std::uint64_t index, const Decision& decision = {}) {
    legs.add(event, decision, here, index, now);
  }
  std::optional<std::uint64_t> match(const Event& event, std::uint32_t on = 2) {
    const auto found = legs.match(event, here, leg(on), now);
    return found ? std::optional{found->index} : std::nullopt;
  }
};

TEST_F(LegsTest, ALaterLegRefersToTheFirst) {
  add(message("hello", "m1"), 7);
  EXPECT_EQ(match(message("hello", "m1")), 7U);
}

TEST_F(LegsTest, AServerMayAddALanguage) {
  add(message("hello", "m1"), 7);
  Event later = message("hello", "m1");
  later.texts[0].language = "en";
  EXPECT_EQ(match(later), 7U);
}

TEST_F(LegsTest, AServerMayPutTheTextsInAnotherOrder) {
  Event first = message("hello", "m1");
  first.texts.push_back({.role = TextPart::Role::subject, .language = "", .text = "about", .segments = {}});
  add(first, 7);
  std::swap(first.texts[0], first.texts[1]);
  EXPECT_EQ(match(first), 7U);
  first.texts[0].text = "hello";
  EXPECT_EQ(match(first), std::nullopt);
}

TEST_F(LegsTest, AServerMayLeaveTagsOutButNotBringOthers) {
  const auto tagged = [](const std::string& value) {
    Event event = message("hello");
    event.texts.push_back({.role = TextPart::Role::tag, .language = "", .text = value, .segments = {}});
    return event;
  };
  add(tagged("kept"), 7);
  EXPECT_EQ(match(tagged("kept"), 2), 7U);
  EXPECT_EQ(match(message("hello"), 3), 7U);
  EXPECT_EQ(match(tagged("other"), 4), std::nullopt);
  EXPECT_EQ(match(message("hello"), 3), std::nullopt) << "said twice on one leg";
  add(message("plain"), 8);
  Event brought = message("plain");
  brought.texts.push_back({.role = TextPart::Role::tag, .language = "", .text = "never judged", .segments = {}});
  EXPECT_EQ(match(brought, 2), std::nullopt);
}

TEST_F(LegsTest, ARedactedTagIsKnownByItsMaskedText) {
  Event event = message("hello");
  event.texts.push_back({.role = TextPart::Role::tag, .language = "", .text = "secret", .segments = {}});
  Decision redact;
  redact.verdict = Verdict::redact;
  redact.masks = {{1, 0, 6}};
  add(event, 7, redact);
  EXPECT_EQ(match(event, 2), std::nullopt);
  EXPECT_EQ(match(message("hello"), 3), 7U);
  event.texts[1].text = "******";
  EXPECT_EQ(match(event, 4), 7U);
}

TEST_F(LegsTest, EachReceiversLegMatchesOnce) {
  add(message("hello", "m1"), 7);
  EXPECT_EQ(match(message("hello", "m1"), 2), 7U);
  EXPECT_EQ(match(message("hello", "m1"), 3), 7U);
  EXPECT_EQ(match(message("hello", "m1"), 2), std::nullopt);
}

TEST_F(LegsTest, TheSameWordsSaidTwiceAreTwoMessages) {
  add(message("yes"), 7);
  add(message("yes"), 9);
  EXPECT_EQ(match(message("yes")), 7U);
  EXPECT_EQ(match(message("yes")), 9U);
  EXPECT_EQ(match(message("yes")), std::nullopt);
}

TEST_F(LegsTest, AnythingThatDiffersIsNew) {
  add(message("hello", "m1"), 7);
  EXPECT_FALSE(match(message("hello!", "m1")));
  EXPECT_FALSE(match(message("hello", "m2")));
  EXPECT_FALSE(match(message("hello", "m1", "mallory@im.test")));
  EXPECT_FALSE(legs.match(message("hello", "m1"), conversation(2), leg(2), now));
  Event edit = message("hello", "m1");
  edit.kind = Kind::edit;
  edit.ref = "m0";
  EXPECT_FALSE(match(edit));
  Event hidden = message("hello", "m1");
  hidden.texts.push_back({TextPart::Role::xhtml, {}, "something else", {}});
  EXPECT_FALSE(match(hidden));
}

TEST_F(LegsTest, AServerMayNameWhatHadNoName) {
  add(message("hello"), 7);
  EXPECT_EQ(match(message("hello", "given-by-server")), 7U);
}

TEST_F(LegsTest, AStableIdHoldsWhereTheIdWasRewritten) {
  Event first = message("hello", "m1");
  first.origin_id = "o1";
  add(first, 7);
  Event later = message("hello", "rewritten");
  later.origin_id = "o1";
  EXPECT_EQ(match(later), 7U);
}

TEST_F(LegsTest, ARefusedMessageHasNoLaterLeg) {
  Decision refuse;
  refuse.verdict = Verdict::refuse;
  add(message("hello", "m1"), 7, refuse);
  EXPECT_FALSE(match(message("hello", "m1")));
}

TEST_F(LegsTest, ARefusedMessageThatIsSentAgainIsKnownAsRefused) {
  Decision refuse;
  refuse.verdict = Verdict::refuse;
  add(message("hello", "m1"), 7, refuse);
  for (const Copy kind : {Copy::resend, Copy::delayed}) {
    Event copy = message("hello", "m1");
    copy.copy = kind;
    const auto found = legs.match(copy, here, leg(2), now);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->index, 7U);
    EXPECT_TRUE(found->refused);
  }
  // The same was let through later: a copy is one of that.
  add(message("hello", "m1"), 9);
  Event copy = message("hello", "m1");
  copy.copy = Copy::delayed;
  EXPECT_EQ(match(copy), 9U);
}

TEST_F(LegsTest, ARedactedMessageIsKnownByItsMaskedTextOnly) {
  Decision redact;
  redact.verdict = Verdict::redact;
  redact.masks = {{0, 4, 8}};
  Event first = message("the code is", "m1");
  first.texts.push_back({TextPart::Role::xhtml, {}, "the <b>code</b> is", {}});
  add(first, 7, redact);
  EXPECT_FALSE(match(first));  // unmasked: it went around
  EXPECT_EQ(match(message(apply_masks("the code is", 0, redact.masks), "m1")), 7U);
}

TEST_F(LegsTest, HistoryMatchesAnyNumberOfTimesAndTakesNothingAway) {
  add(message("hello", "m1"), 7);
  Event copy = message("hello", "m1");
  copy.copy = Copy::archive;
  for (int i = 0; i < 3; ++i) {
    const auto found = legs.match(copy, here, leg(2), now);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->copy);
  }
  EXPECT_EQ(match(message("hello", "m1")), 7U);
}

TEST_F(LegsTest, WhatIsNotSaidByAPersonIsNeverMatched) {
  Event join;
  join.kind = Kind::join;
  join.scope = Scope::room;
  join.room = "room@conf.test";
  add(join, 7);
  EXPECT_FALSE(match(join));
}

TEST_F(LegsTest, TheOldestIsForgottenFirst) {
  legs = Legs(3);
  for (std::uint64_t i = 0; i < 4; ++i) add(message(std::to_string(i)), i);
  EXPECT_FALSE(match(message("0")));
  EXPECT_EQ(match(message("1")), 1U);
  now += Legs::kRemembered + std::chrono::seconds(1);
  EXPECT_FALSE(match(message("2")));
  EXPECT_EQ(legs.size(), 0U);
}

// The rule, said once more as a model: every live leg takes, in order, the first entry of its words that it has not
// had. What the table answers must be what the model answers, for random talk.
TEST_F(LegsTest, AgreesWithTheModelOnRandomTalk) {
  constexpr unsigned kSeed = 424'242;
  std::mt19937 random(kSeed);
  legs = Legs(100'000);
  std::map<std::string, std::vector<std::uint64_t>> said;
  std::map<std::pair<std::uint32_t, std::string>, std::size_t> had;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const std::string text = "t" + std::to_string(random() % 50);
    if (random() % 3 == 0) {
      add(message(text), i);
      said[text].push_back(i);
      continue;
    }
    const auto on = static_cast<std::uint32_t>(random() % 5);
    std::size_t& next = had[{on, text}];
    std::optional<std::uint64_t> expected;
    if (next < said[text].size()) expected = said[text][next++];
    ASSERT_EQ(match(message(text), on), expected) << "seed " << kSeed << ", step " << i;
  }
}

// The table's slots come and go all the time here: with each entry that is added an old one is forgotten, and its words
// are said again by younger ones, or by nobody. History finds the oldest entry of its words that is remembered.
TEST_F(LegsTest, AgreesWithTheModelWhileItForgets) {
  constexpr unsigned kSeed = 171'717;
  constexpr std::size_t kMax = 700;  // so that the table is nearly as full as it ever gets
  std::mt19937 random(kSeed);
  legs = Legs(kMax);
  std::vector<std::string> said;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const std::string text = "t" + std::to_string(random() % 1'500);
    add(message(text), i);
    said.push_back(text);
    Event copy = message("t" + std::to_string(random() % 1'500));
    copy.copy = Copy::delayed;
    std::optional<std::uint64_t> expected;
    for (std::size_t k = said.size() > kMax ? said.size() - kMax : 0; k < said.size() && !expected; ++k)
      if (said[k] == copy.texts.front().text) expected = k;
    ASSERT_EQ(match(copy), expected) << "seed " << kSeed << ", step " << i;
    ASSERT_EQ(legs.size(), std::min(said.size(), kMax));
  }
}

// One who says the same words all day must not slow everybody down: were each search to begin with the first of them,
// these would take hours.
TEST_F(LegsTest, TheSameWordsWithoutIdsAreFoundInOrderHoweverMany) {
  constexpr std::uint64_t kMany = 200'000;
  legs = Legs(kMany);
  for (std::uint64_t i = 0; i < kMany; ++i) add(message("yes"), i);
  for (std::uint64_t i = 0; i < kMany; ++i) ASSERT_EQ(match(message("yes")), i);
  for (std::uint64_t i = 0; i < kMany; ++i) ASSERT_EQ(match(message("yes")), std::nullopt);
}

TEST_F(LegsTest, TheSameWordsWithIdsAreFoundByIdHoweverMany) {
  constexpr std::uint64_t kMany = 200'000;
  legs = Legs(kMany);
  for (std::uint64_t i = 0; i < kMany; ++i) add(message("yes", "m" + std::to_string(i)), i);
  for (std::uint64_t i = kMany; i-- > 0;) ASSERT_EQ(match(message("yes", "m" + std::to_string(i))), i);
  EXPECT_EQ(match(message("yes", "m7")), std::nullopt);
  EXPECT_EQ(match(message("yes", "m7"), 3), 7U);
}

TEST_F(LegsTest, TheSameWordsAndIdAreFoundInOrderHoweverMany) {
  constexpr std::uint64_t kMany = 200'000;
  legs = Legs(kMany);
  for (std::uint64_t i = 0; i < kMany; ++i) add(message("yes", "m"), i);
  for (std::uint64_t i = 0; i < kMany; ++i) ASSERT_EQ(match(message("yes", "m")), i);
}

// What was never delivered stands in the way of a search; it gives up in time, and the message is new.
TEST_F(LegsTest, ASearchPassesByABoundedNumberOfOthers) {
  for (std::uint64_t i = 0; i < Legs::kPassedMax; ++i) add(message("yes", "m" + std::to_string(i)), i);
  add(message("yes"), 900);
  EXPECT_EQ(match(message("yes", "given-by-server")), 900U);
  add(message("yes", "one-more"), 901);
  add(message("yes"), 902);
  EXPECT_EQ(match(message("yes", "given-too")), std::nullopt);
}

// Entries of one text with and without ids, forgotten all the while: what is found by id must be the oldest with it.
TEST_F(LegsTest, AgreesWithTheModelOfIdsWhileItForgets) {
  constexpr unsigned kSeed = 90'210;
  constexpr std::size_t kMax = 200;
  std::mt19937 random(kSeed);
  legs = Legs(kMax);
  std::vector<std::pair<std::string, std::string>> said;
  for (std::uint64_t i = 0; i < 20'000; ++i) {
    const auto any = [&] { return std::pair{"t" + std::to_string(random() % 5), "m" + std::to_string(random() % 60)}; };
    said.push_back(any());
    add(message(said.back().first, said.back().second), i);
    const auto sought = any();
    Event copy = message(sought.first, sought.second);
    copy.copy = Copy::archive;
    std::optional<std::uint64_t> expected;
    for (std::size_t k = said.size() > kMax ? said.size() - kMax : 0; k < said.size() && !expected; ++k)
      if (said[k] == sought) expected = k;
    ASSERT_EQ(match(copy), expected) << "seed " << kSeed << ", step " << i;
  }
}

}  // namespace
}  // namespace chancery::gateway
