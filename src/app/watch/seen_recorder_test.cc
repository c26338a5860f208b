#include "app/watch/seen_recorder.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/testing/held_journal.h"
#include "sensor/classify/decider.h"
#include "sensor/sensor.h"
#include "sensor/testing/samples.h"

namespace chancery::app::watch {
namespace {

using namespace sensor::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Instant kBegin = from_unix_ns(1'700'000'000'000'000'000);
const Instant kNow = from_unix_ns(1'800'000'000'000'000'000);

struct Nobody final : journal::Observer {
  void on_durable(std::span<const journal::Durable>) override {}
  void on_failed(std::error_code, std::uint64_t) override {}
};

class SeenRecorderTest : public ::testing::Test, public sensor::Observer {
 protected:
  void message(const sensor::SeenMessage& seen) override { good_ &= recorder_.message(seen, kNow); }
  void event(const sensor::SeenEvent& seen) override { good_ &= recorder_.event(seen, kNow); }
  void credential(const sensor::SeenCredential& seen) override { good_ &= recorder_.credential(seen, kNow); }
  void url(const sensor::SeenUrl&) override {}

  void read(const std::vector<OwnFrame>& frames) {
    sensor::Sensor::Options options;
    options.also = this;
    sensor::DeciderOptions deciding;
    deciding.ndpi = false;
    sensor::Sensor sensor{options, sensor::make_decider(deciding)};
    for (const OwnFrame& frame : frames) sensor.frame(frame.view());
    sensor.finish();
  }
  std::vector<std::string> texts(Kind kind) {
    std::vector<std::string> found;
    for (const Record& record : journal_.records(kind))
      found.push_back(record.event.texts.empty() ? record.event.detail : record.event.texts.front().text);
    return found;
  }
  static sensor::SeenMessage message_at(Instant time, std::uint64_t number) {
    sensor::SeenMessage seen;
    seen.time = time;
    seen.protocol = "websocket";
    seen.text = "hi";
    seen.number = number;
    return seen;
  }

  Nobody nobody_;
  gateway::testing::HeldJournal journal_{nobody_};
  gateway::Conversations conversations_{"a secret"};
  gateway::Stats stats_;
  gateway::Recorder journal_recorder_{journal_, conversations_, stats_};
  SeenRecorder recorder_{journal_recorder_, conversations_, "sensor-1", 1};
  bool good_ = true;
};

TEST_F(SeenRecorderTest, AMessageIsRecordedOnceAndItsLaterLegsAreDeliveries) {
  const Sample sample = samples().front();
  read(sample.frames);
  recorder_.flush(kNow);
  EXPECT_TRUE(good_);
  EXPECT_THAT(texts(Kind::message), ElementsAre("hello everyone", "just you"));
  const auto deliveries = journal_.records(Kind::delivery);
  ASSERT_EQ(deliveries.size(), 1U);
  ASSERT_EQ(deliveries[0].deliveries.size(), 2U);
  EXPECT_EQ(deliveries[0].network, "sensor-1");
  EXPECT_TRUE(deliveries[0].seen);
  const auto all = journal_.records();
  for (std::size_t i = 0; i < 2; ++i) {
    const Delivery& delivery = deliveries[0].deliveries[i];
    EXPECT_EQ(all[delivery.ref].event.texts.front().text, i == 0 ? "hello everyone" : "just you");
    EXPECT_EQ(delivery.to, i == 0 ? "192.0.2.2:40002" : "anna");
  }
}

TEST_F(SeenRecorderTest, ARecordSaysWhereItWasSeenWithThePacketsTimeAndItsWire) {
  read(samples().front().frames);
  const auto records = journal_.records(Kind::message);
  ASSERT_FALSE(records.empty());
  const Record& record = records.front();
  EXPECT_EQ(record.network, "sensor-1");
  EXPECT_EQ(record.protocol, "irc");
  EXPECT_EQ(record.seen, (Seen{"192.0.2.1:40001", "198.51.100.1:6667"}));
  EXPECT_EQ(record.decision, Decision{});
  EXPECT_EQ(record.wire, "PRIVMSG #tea :hello everyone\r\n");
  EXPECT_LT(record.time, kNow);
  for (const auto& entry : journal_.entries()) EXPECT_EQ(entry.time, kNow) << "a leaf has the log's own time";
  EXPECT_THAT(to_json(record, "hq/sensor-1/x", 1).front(), HasSubstr(R"("verdict":"seen")"));
}

TEST_F(SeenRecorderTest, OneUnitsEventsShareItsWire) {
  Talk anna{endpoint("192.0.2.1:40001"), endpoint("198.51.100.1:6667"), kBegin};
  anna.handshake().say_client("NICK anna\r\nUSER anna 0 * :Anna\r\n").say_server(":irc.example 001 anna :Welcome\r\n");
  anna.say_client("PRIVMSG bjorn,cecile :hi both\r\n");
  read(anna.frames());
  const auto records = journal_.records(Kind::message);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].wire, "PRIVMSG bjorn,cecile :hi both\r\n");
  EXPECT_EQ(records[1].wire, "");
  EXPECT_EQ(records[1].wire_in, 1U);
}

TEST_F(SeenRecorderTest, AnAlertHasNoSecretAndASignInNeither) {
  Talk anna{endpoint("192.0.2.1:40001"), endpoint("198.51.100.1:6667"), kBegin};
  anna.handshake().say_client("PASS hunter2\r\nNICK anna\r\nUSER anna 0 * :Anna\r\n");
  anna.say_server(":irc.example 001 anna :Welcome\r\n");
  anna.say_client("PRIVMSG NickServ :IDENTIFY hunter2\r\n");
  read(anna.frames());
  EXPECT_FALSE(journal_.records(Kind::credential).empty());
  EXPECT_EQ(journal_.records(Kind::sign_in).size(), 1U);
  for (const auto& entry : journal_.entries()) EXPECT_EQ(entry.payload.find("hunter2"), Buffer::npos);
  for (const Record& record : journal_.records(Kind::credential)) {
    EXPECT_EQ(record.wire, "");
    EXPECT_FALSE(record.event.detail.empty());
  }
}

TEST_F(SeenRecorderTest, WhatDoesNotFitIsAGapOnceThereIsRoom) {
  journal_.hold(true);
  journal_.full(1);
  EXPECT_TRUE(recorder_.message(message_at(kBegin, 0), kNow));
  EXPECT_TRUE(recorder_.message(message_at(kBegin + std::chrono::seconds{1}, 1), kNow));
  EXPECT_TRUE(recorder_.message(message_at(kBegin + std::chrono::seconds{2}, 2), kNow));
  EXPECT_EQ(recorder_.lost().count, 2U);
  EXPECT_FALSE(recorder_.flush(kNow)) << "there is no room yet";
  journal_.full(10);
  EXPECT_TRUE(recorder_.flush(kNow));
  EXPECT_EQ(recorder_.lost().count, 0U);
  EXPECT_THAT(texts(Kind::gap), ElementsAre(HasSubstr("2 events seen between 2023-11-14T22:13:21.000000Z and "
                                                      "2023-11-14T22:13:22.000000Z")));
  EXPECT_FALSE(recorder_.flush(kNow)) << "it is said once";
}

TEST_F(SeenRecorderTest, ALaterLegStandsForAFirstOneThatWasLost) {
  journal_.hold(true);
  journal_.full(0);
  recorder_.message(message_at(kBegin, 7), kNow);
  journal_.full(10);
  sensor::SeenMessage later = message_at(kBegin, 8);
  later.copy_of = 7;
  recorder_.message(later, kNow);
  later.number = 9;
  recorder_.message(later, kNow);
  recorder_.flush(kNow);
  EXPECT_EQ(journal_.records(Kind::message).size(), 1U);
  EXPECT_EQ(recorder_.counts().deliveries, 1U);
}

TEST_F(SeenRecorderTest, AFailedJournalIsSaid) {
  journal_.fail();
  EXPECT_FALSE(recorder_.message(message_at(kBegin, 0), kNow));
  EXPECT_EQ(recorder_.lost().count, 1U);
}

}  // namespace
}  // namespace chancery::app::watch
