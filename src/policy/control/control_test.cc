#include "policy/control/control.h"

#include <gtest/gtest.h>

#include "policy/test_support.h"

namespace chancery::policy {
namespace {

using namespace testing;

constexpr std::string_view kDesk = R"(groups:
  internal: [im.test]
  research: [rita@im.test, ron@im.test]
  trading: [tom@im.test]
control:
  default: refuse
  notice: Not with them.
  rules:
    - {id: wall, action: refuse, between: [group:research, group:trading], notice: There is a wall.}
    - {id: no-rumours, action: refuse, rooms: [rumours@conference.im.test]}
    - {id: internal-rooms, action: refuse, rooms: ['*@conference.im.test'], to: [group:external]}
    - {id: watch-ron, action: flag, from: [ron@im.test]}
    - {id: inside, action: allow, from: [group:internal], to: [group:internal, conference.im.test]}
    - {id: broker, action: allow, between: [group:internal, broker.example], until: 2026-06-01}
    - {id: rooms, action: allow, rooms: ['*@conference.im.test']}
)";

struct Row {
  std::string_view from, to;
  Verdict verdict;
  std::string_view rule;
};

TEST(Control, WhoWithWhom) {
  const auto policy = policy_of(kDesk);
  for (const auto& [from, to, verdict, rule] : std::to_array<Row>({
           {"alice@im.test", "bob@im.test", Verdict::forward, "inside"},
           {"alice@im.test", "eve@x.test", Verdict::refuse, "control.default"},
           {"alice@im.test", "b@broker.example", Verdict::forward, "broker"},
           {"b@broker.example", "alice@im.test", Verdict::forward, "broker"},
           {"eve@x.test", "alice@im.test", Verdict::refuse, "control.default"},
           {"rita@im.test", "tom@im.test", Verdict::refuse, "wall"},
           {"tom@im.test/desk", "Rita@IM.test", Verdict::refuse, "wall"},
           {"rita@im.test", "ron@im.test", Verdict::forward, "inside"},
           {"ron@im.test", "alice@im.test", Verdict::flag, "watch-ron"},
           {"ron@im.test", "tom@im.test", Verdict::refuse, "wall"},
       })) {
    const auto decision = decide(*policy, message("hi", std::string{from}, {std::string{to}}));
    EXPECT_EQ(decision.verdict, verdict) << from << " to " << to;
    EXPECT_EQ(decision.rule, rule) << from << " to " << to;
  }
}

TEST(Control, EveryReceiverIsJudgedAndTheStrictestCounts) {
  const auto policy = policy_of(kDesk);
  const auto decision = decide(*policy, message("hi", "alice@im.test", {"bob@im.test", "eve@x.test"}));
  EXPECT_EQ(decision.verdict, Verdict::refuse);
  EXPECT_EQ(decision.rule, "control.default");
  EXPECT_EQ(decision.notice, "Not with them.");
}

TEST(Control, ARefusalTellsTheRulesOwnNotice) {
  EXPECT_EQ(decide(*policy_of(kDesk), message("hi", "rita@im.test", {"tom@im.test"})).notice, "There is a wall.");
}

TEST(Control, ARuleEndsAtItsTime) {
  const auto policy = policy_of(kDesk);
  const auto event = message("hi", "alice@im.test", {"b@broker.example"});
  auto subject = subject_of(event);
  Table table;
  subject.now = *parse_rfc3339("2026-05-31T23:59:59Z");
  EXPECT_EQ(policy->judge_now(subject, table).decision.verdict, Verdict::forward);
  subject.now = *parse_rfc3339("2026-06-01");
  EXPECT_EQ(policy->judge_now(subject, table).decision.verdict, Verdict::refuse);
}

TEST(Control, RoomsAreJudgedByNameAndByWhoIsPresent) {
  const auto policy = policy_of(kDesk);
  const auto say = [&](std::string room, std::vector<std::string> present) {
    return decide(*policy, in_room(message("hi"), std::move(room), std::move(present))).rule;
  };
  EXPECT_EQ(say("desk@conference.im.test", {"alice@im.test", "bob@im.test"}), "inside");
  EXPECT_EQ(say("desk@conference.im.test", {"alice@im.test", "bob@im.test", "eve@x.test"}), "internal-rooms");
  EXPECT_EQ(say("desk@conference.im.test", {}), "rooms");
  EXPECT_EQ(say("rumours@conference.im.test", {"alice@im.test"}), "no-rumours");
  EXPECT_EQ(say("desk@elsewhere.test", {}), "control.default");
}

TEST(Control, AJoinIsRefusedOnTheWayOutOnly) {
  const auto policy = policy_of(kDesk);
  Event join;
  join.kind = Kind::join;
  join.scope = Scope::room;
  join.from = "alice@im.test";
  join.room = "rumours@conference.im.test";
  EXPECT_EQ(decide(*policy, join).rule, "no-rumours");
  EXPECT_EQ(decide(*policy, join, Side::server).verdict, Verdict::forward);
}

TEST(Control, WhatIsNobodysMessageIsLeftAlone) {
  const auto policy = policy_of("control: {default: refuse}");
  for (const auto kind : {Kind::leave, Kind::presence, Kind::sign_in, Kind::delivery, Kind::nick, Kind::notice_shown}) {
    Event event;
    event.kind = kind;
    EXPECT_EQ(decide(*policy, event).verdict, Verdict::forward) << to_string(kind);
  }
  for (const auto kind : {Kind::message, Kind::edit, Kind::retraction, Kind::reaction, Kind::history, Kind::topic,
                          Kind::file_offer, Kind::sealed, Kind::opaque}) {
    Event event;
    event.kind = kind;
    EXPECT_EQ(decide(*policy, event).verdict, Verdict::refuse) << to_string(kind);
  }
}

TEST(Control, DirectionProtocolAndNetworkNarrowARule) {
  const auto policy = policy_of(R"(control:
  rules:
    - {id: r, action: refuse, direction: in, protocols: [xmpp], networks: [im]}
)");
  const auto event = message("hi");
  auto subject = subject_of(event, Side::server);
  Table table;
  EXPECT_EQ(policy->judge_now(subject, table).decision.verdict, Verdict::refuse);
  subject.from = Side::client;
  EXPECT_EQ(policy->judge_now(subject, table).decision.verdict, Verdict::forward);
  subject.from = Side::server;
  subject.network = "other";
  EXPECT_EQ(policy->judge_now(subject, table).decision.verdict, Verdict::forward);
  subject.network = "im";
  subject.protocol = "irc";
  EXPECT_EQ(policy->judge_now(subject, table).decision.verdict, Verdict::forward);
}

TEST(Control, AnIrcMaskIsReadFromTheDevice) {
  const auto policy = policy_of("control: {rules: [{id: r, action: refuse, from: ['*!*@*.evil.example']}]}");
  auto event = message("hi", "nick", {"#room"});
  event.from_device = "nick!user@host.evil.example";
  auto subject = subject_of(event, Side::server);
  subject.protocol = "irc";
  Table table;
  EXPECT_EQ(policy->judge_now(subject, table).decision.verdict, Verdict::refuse);
}

TEST(Control, WithoutRulesEverythingIsAllowed) {
  Decision expected;
  expected.policy_revision = policy_of("name: x")->revision();
  EXPECT_EQ(decide(*policy_of("name: x"), message("hi")), expected);
}

}  // namespace
}  // namespace chancery::policy
