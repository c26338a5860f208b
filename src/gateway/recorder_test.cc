#include "gateway/recorder.h"

#include <gtest/gtest.h>

#include "gateway/metrics.h"
#include "gateway/testing/held_journal.h"

namespace chancery::gateway {
namespace {

struct Nobody final : journal::Observer {
  void on_durable(std::span<const journal::Durable>) override {}
  void on_failed(std::error_code, std::uint64_t) override {}
};

struct RecorderTest : ::testing::Test {
  Nobody nobody;
  testing::HeldJournal journal{nobody};
  Conversations conversations{"a secret"};
  Stats stats;
  Recorder recorder{journal, conversations, stats};
  Instant now = from_unix_ns(1'700'000'000'000'000'000);

  Unit unit() {
    Unit made;
    made.wire = "PRIVMSG bob,carol :hi\r\n";
    made.events.resize(2);
    made.events[0].to = {"bob"};
    made.events[1].to = {"carol"};
    return made;
  }
  Recorder::Result record(Unit& from, std::size_t number, Decision& decision, std::uint32_t wire_in = 0) {
    from.events[number].from = "alice";
    const auto id = conversations.of("net", from.events[number]);
    Origin origin;
    origin.protocol = "irc";
    origin.network = "net";
    return recorder.record(origin, {from, number, decision, id, nullptr, wire_in, false, now});
  }
};

TEST_F(RecorderTest, ARecordHoldsTheWholeUnit) {
  Unit lent = unit();
  Decision decision;
  decision.rule = "r";
  const Buffer wire = lent.wire;
  ASSERT_TRUE(record(lent, 0, decision));
  EXPECT_EQ(lent.wire, wire);
  EXPECT_EQ(lent.events[0].to, std::vector<std::string>{"bob"});
  EXPECT_EQ(decision.rule, "r");
  EXPECT_EQ(journal.records().front().wire, wire);
}

TEST_F(RecorderTest, TheSecondEventOfAUnitPointsToTheWireOfTheFirst) {
  Unit lent = unit();
  Decision decision;
  record(lent, 0, decision);
  record(lent, 1, decision, 1);
  EXPECT_EQ(journal.records()[1].wire, "");
  EXPECT_EQ(journal.records()[1].wire_in, 1U);
}

TEST_F(RecorderTest, ARecordThatWasNotTakenUsesNoSequence) {
  Unit lent = unit();
  Decision decision;
  journal.hold(true);
  ASSERT_TRUE(record(lent, 0, decision));
  journal.full(1);
  EXPECT_EQ(record(lent, 0, decision).error(), journal::JournalError::full);
  EXPECT_EQ(lent.wire, "PRIVMSG bob,carol :hi\r\n");
  journal.full(10);
  ASSERT_TRUE(record(lent, 0, decision));
  EXPECT_EQ(journal.records()[1].conversation_sequence, 1U);
}

TEST_F(RecorderTest, DeliveriesAreBatchedAndNotUrgent) {
  for (std::uint64_t i = 0; i < Recorder::kDeliveriesMax + 10; ++i) recorder.deliver({i, "bob", {}, now, false});
  EXPECT_EQ(journal.records().size(), 1U);
  recorder.flush_deliveries(now);
  ASSERT_EQ(journal.records().size(), 2U);
  EXPECT_EQ(journal.records()[0].deliveries.size(), Recorder::kDeliveriesMax);
  EXPECT_EQ(journal.records()[1].deliveries.size(), 10U);
  EXPECT_FALSE(journal.entries()[0].urgent);
  recorder.flush_deliveries(now);
  EXPECT_EQ(journal.records().size(), 2U);
}

TEST_F(RecorderTest, DeliveriesWaitWhileTheJournalIsFullAndTheirNumberIsBounded) {
  journal.hold(true);
  journal.full(0);
  for (std::uint64_t i = 0; i < Recorder::kDeliveriesWaitingMax + 5; ++i) recorder.deliver({i, "bob", {}, now, false});
  EXPECT_EQ(stats.deliveries_lost, 5U);
  journal.full(1'000);
  recorder.flush_deliveries(now);
  EXPECT_EQ(journal.records().size(), Recorder::kDeliveriesWaitingMax / Recorder::kDeliveriesMax);
}

TEST_F(RecorderTest, ReadIsAlwaysTheSumAndTheDayStartsAnewAtMidnight) {
  Counters session;
  recorder.settle(session, &Counters::forwarded, now);
  recorder.settle(session, &Counters::refused, now);
  EXPECT_EQ(recorder.today(now), (Counters{.read = 2, .forwarded = 1, .refused = 1}));
  EXPECT_EQ(recorder.today(now + std::chrono::days(1)), Counters{});
  EXPECT_EQ(session.read, 2U);
}

TEST_F(RecorderTest, AConversationIsTheSameFromBothEndsAndForNobodyElse) {
  Event there;
  there.from = "Alice@im.test";
  there.to = {"bob@im.test"};
  Event back;
  back.from = "bob@im.test";
  back.to = {"alice@im.test"};
  EXPECT_EQ(conversations.of("net", there), conversations.of("net", back));
  EXPECT_NE(conversations.of("net", there), conversations.of("other", there));
  Event room = there;
  room.scope = Scope::room;
  room.room = "bob@im.test";
  EXPECT_NE(conversations.of("net", there), conversations.of("net", room));
  Conversations other_secret{"another secret"};
  EXPECT_NE(conversations.of("net", there), other_secret.of("net", there));
}

TEST_F(RecorderTest, MetricsAreWellFormedText) {
  stats.events = {.read = 3, .forwarded = 2, .refused = 1};
  const std::string text = metrics_text(stats, {10, 8, false});
  EXPECT_NE(text.find("chancery_events_total{outcome=\"refused\"} 1"), std::string::npos) << text;
  EXPECT_NE(text.find("chancery_journal_pending 2"), std::string::npos) << text;
  EXPECT_NE(text.find("# TYPE chancery_connections gauge"), std::string::npos);
}

}  // namespace
}  // namespace chancery::gateway
