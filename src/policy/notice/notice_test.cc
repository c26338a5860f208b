#include "policy/notice/notice.h"

#include <gtest/gtest.h>

#include "policy/test_support.h"

namespace chancery::policy {
namespace {

using namespace testing;

constexpr std::string_view kNotices = R"(groups: {internal: [im.test]}
lexicon: {rules: [{id: r, action: refuse, terms: [fox]}]}
notices:
  - {id: welcome, at: sign-on, every_days: 30, text: Everything is recorded.}
  - {id: first, at: conversation, to: [group:external], text: This is recorded.}
  - {id: them, at: conversation, show_to: peer, to: [group:external], text: The bank records this.}
)";

Event sign_in(bool accepted) {
  Event event;
  event.kind = Kind::sign_in;
  event.scope = Scope::network;
  event.from = "alice@im.test";
  event.accepted = accepted;
  return event;
}

std::vector<std::string> due(const Policy& policy, const Event& event, Table& table, Side from = Side::client) {
  std::vector<std::string> ids;
  for (const auto& notice : policy.judge_now(subject_of(event, from), table).notices) ids.push_back(notice.id);
  return ids;
}

TEST(Notice, SignOnAsksAndIsDueOnce) {
  const auto policy = policy_of(kNotices);
  Table table;
  EXPECT_EQ(due(*policy, sign_in(true), table), (std::vector<std::string>{"welcome"}));
  EXPECT_EQ(table.asked, (std::vector<std::string>{"notice.shown:welcome:alice@im.test"}));
  table.known["notice.shown:welcome:alice@im.test"] = "yes";
  EXPECT_TRUE(due(*policy, sign_in(true), table).empty());
}

TEST(Notice, ARefusedSignInIsToldNothing) {
  Table table;
  EXPECT_TRUE(due(*policy_of(kNotices), sign_in(false), table).empty());
  EXPECT_TRUE(table.asked.empty());
}

TEST(Notice, ItReturnsAfterItsDays) {
  const auto policy = policy_of(kNotices);
  Table table;
  auto& shown = table.known["notice.shown:welcome:alice@im.test"];
  shown = to_rfc3339(kNow - std::chrono::days{29});
  EXPECT_TRUE(due(*policy, sign_in(true), table).empty());
  shown = to_rfc3339(kNow - std::chrono::days{30});
  EXPECT_EQ(due(*policy, sign_in(true), table).size(), 1U);
}

TEST(Notice, AConversationIsTheOtherPartyOrTheRoom) {
  const auto policy = policy_of(kNotices);
  Table table;
  const auto out = message("hi", "alice@im.test", {"eve@x.test"});
  EXPECT_EQ(due(*policy, out, table), (std::vector<std::string>{"first", "them"}));
  EXPECT_EQ(table.asked, (std::vector<std::string>{"notice.shown:first:alice@im.test:eve@x.test",
                                                   "notice.shown:them:alice@im.test:eve@x.test"}));
  table.asked.clear();
  EXPECT_TRUE(due(*policy, message("hi"), table).empty()) << "internal only";
  EXPECT_TRUE(table.asked.empty());
  due(*policy, in_room(message("hi"), "r@c.test", {"eve@x.test"}), table);
  EXPECT_EQ(table.asked.front(), "notice.shown:first:alice@im.test:r@c.test");
}

TEST(Notice, TheNoticeSaysToWhomItGoes) {
  const auto policy = policy_of(kNotices);
  Table table;
  const auto event = message("hi", "alice@im.test", {"eve@x.test"});
  const auto judgement = policy->judge_now(subject_of(event), table);
  ASSERT_EQ(judgement.notices.size(), 2U);
  EXPECT_EQ(judgement.notices[0].to, Side::client);
  EXPECT_EQ(judgement.notices[0].key, "first:alice@im.test:eve@x.test");
  EXPECT_EQ(judgement.notices[0].text, "This is recorded.");
  EXPECT_TRUE(judgement.notices[0].in_conversation);
  EXPECT_EQ(judgement.notices[1].to, Side::server);
  EXPECT_EQ(judgement.decision.answers.size(), 2U) << "answers are recorded with the decision";
}

TEST(Notice, ARefusedMessageOpensNoConversation) {
  Table table;
  EXPECT_TRUE(due(*policy_of(kNotices), message("fox", "alice@im.test", {"eve@x.test"}), table).empty());
  EXPECT_TRUE(table.asked.empty());
}

}  // namespace
}  // namespace chancery::policy
