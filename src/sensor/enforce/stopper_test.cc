#include "sensor/enforce/stopper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/sensor.h"
#include "sensor/testing/packet_writer.h"

namespace chancery::sensor {
namespace {

using testing::Talk;

// Names what says CHAT, and nothing else.
class ChatClassifier final : public Classifier {
 public:
  Opinion classify(FlowNotes*, const FlowStart& start, bool) override {
    Bytes begin = start.client_octets;
    if (!start.datagrams.empty()) begin = start.datagrams[0].octets;
    if (begin.size() < 4 && start.server_octets.size() < 4) return {};
    const bool turned = start.server_octets.starts_with("CHAT");
    if (!begin.starts_with("CHAT") && !turned) return {.state = Opinion::State::unnamed, .named = {}};
    Opinion opinion{.state = Opinion::State::named, .named = {}};
    opinion.named.application = "Chat";
    opinion.named.category = Category::im;
    opinion.named.evidence = "payload: CHAT";
    opinion.named.swapped = turned;
    return opinion;
  }
};

class StopperTest : public ::testing::Test {
 protected:
  void run(const Talk& talk, StopPolicy policy = reset_im(), Sensor::Options options = {}) {
    Stopper stopper{std::move(policy),
                    {.send =
                         [&](Bytes packet) {
                           sent_.emplace_back(packet);
                           return true;
                         },
                     .allowed = [&] { return allowed_; },
                     .tell = [&](const StopEvent& event) { told_.push_back(event); }}};
    Sensor sensor{options, std::make_unique<ChatClassifier>()};
    sensor.watch(stopper);
    for (const auto& frame : talk.frames()) {
      sensor.frame(frame.view());
      sent_after_.push_back(sent_.size());
      stopper.settle(frame.time);
    }
    for (int i = 0; i < 1'000; ++i) stopper.settle(talk.now() + std::chrono::milliseconds{10 * i});
    sensor.finish();
    counts_ = stopper.counts();
  }
  static StopPolicy reset_im() {
    StopPolicy policy;
    policy.rules.push_back(
        {.applications = {}, .categories = {Category::im}, .clients = {}, .servers = {}, .action = StopAction::reset});
    return policy;
  }
  static Talk talk() {
    return Talk{testing::endpoint("192.0.2.10:40000"), testing::endpoint("198.51.100.7:5222"),
                from_unix_ns(1'700'000'000'000'000'000)};
  }
  static std::uint32_t number(Bytes packet, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8U | static_cast<unsigned char>(packet[at + i]);
    return value;
  }
  std::size_t count_to(const char* address, std::uint32_t sequence) const {
    const std::string to{testing::endpoint(std::string{address} + ":1").address.wire()};
    return static_cast<std::size_t>(std::ranges::count_if(
        sent_, [&](const Buffer& packet) { return packet.substr(16, 4) == to && number(packet, 24) == sequence; }));
  }
  bool sent_to(const char* address, std::uint32_t sequence) const { return count_to(address, sequence) > 0; }

  std::vector<Buffer> sent_;
  std::vector<std::size_t> sent_after_;
  std::vector<StopEvent> told_;
  StopCounts counts_;
  bool allowed_ = true;
};

TEST_F(StopperTest, ResetsBothEndsAtWhatTheyExpect) {
  Talk chat = talk();
  chat.handshake().say_client("CHAT hello");
  const std::uint32_t client_next = chat.next(Side::client), server_next = chat.next(Side::server);
  run(chat);
  EXPECT_TRUE(sent_to("198.51.100.7", client_next));
  EXPECT_TRUE(sent_to("192.0.2.10", server_next));
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[0].what, StopEvent::What::started);
  EXPECT_EQ(told_[0].application, "Chat");
  EXPECT_EQ(told_[0].evidence, "payload: CHAT");
  EXPECT_EQ(told_[1].what, StopEvent::What::ended);
  EXPECT_EQ(counts_.stopped, 1U);
  EXPECT_EQ(counts_.ended, 1U);
}

// A stream that was joined midway, whose sides were taken for each other until it was read.
TEST_F(StopperTest, ResetsBothEndsWhereTheSidesWereTurnedRound) {
  Talk chat{testing::endpoint("192.0.2.10:5222"), testing::endpoint("198.51.100.7:40000"),
            from_unix_ns(1'700'000'000'000'000'000)};
  chat.say_client("CHAT hello").wait(std::chrono::milliseconds{300});
  chat.say_client("and more").say_server("welcome").say_client("thanks");
  const std::uint32_t client_next = chat.next(Side::client), server_next = chat.next(Side::server);
  run(chat);
  EXPECT_TRUE(sent_to("198.51.100.7", client_next));
  EXPECT_TRUE(sent_to("192.0.2.10", server_next));
  ASSERT_FALSE(told_.empty());
  for (const StopEvent& event : told_) EXPECT_EQ(event.client.text(), "192.0.2.10:5222");
}

// The server's answer passes while the first resets are on their way: nothing comes after it but the clock.
TEST_F(StopperTest, AnIdleConnectionIsTriedAgainAtItsNewestNumbers) {
  Talk chat = talk();
  chat.handshake().say_client("CHAT hello").say_server("welcome");
  const std::uint32_t client_next = chat.next(Side::client), server_next = chat.next(Side::server);
  run(chat);
  EXPECT_GE(count_to("198.51.100.7", client_next), 1 + TcpReset::kPauses.size());
  EXPECT_GE(count_to("192.0.2.10", server_next), 1 + TcpReset::kPauses.size());
  EXPECT_EQ(counts_.ended, 1U);
}

// What the limit holds back comes later, although nothing more is said.
TEST_F(StopperTest, WhatTheLimitHeldBackOnAnIdleConnectionIsSentLater) {
  Talk chat = talk();
  chat.handshake().say_client("CHAT hello").say_server("welcome");
  const std::uint32_t client_next = chat.next(Side::client), server_next = chat.next(Side::server);
  StopPolicy policy = reset_im();
  policy.resets_burst = 2;
  policy.resets_per_second = 2;
  run(chat, policy);
  EXPECT_TRUE(sent_to("198.51.100.7", client_next));
  EXPECT_TRUE(sent_to("192.0.2.10", server_next));
}

TEST_F(StopperTest, ANewConnectionOnTheSamePortsIsStoppedToo) {
  Talk chat = talk();
  chat.handshake().say_client("CHAT hello").say_server("welcome").wait(std::chrono::milliseconds{100});
  chat.sequence(Side::client, chat.next(Side::client) - 1'000'000).sequence(Side::server, 77).handshake();
  chat.say_client("CHAT again").say_server("welcome");
  const std::uint32_t client_next = chat.next(Side::client), server_next = chat.next(Side::server);
  run(chat);
  EXPECT_TRUE(sent_to("198.51.100.7", client_next));
  EXPECT_TRUE(sent_to("192.0.2.10", server_next));
}

// The tries are used up while it talks; then it falls silent, and the clock has the last word.
TEST_F(StopperTest, ABusyConnectionThatFallsSilentIsTriedAtItsNewestNumbers) {
  Talk chat = talk();
  chat.handshake().say_client("CHAT hello");
  for (unsigned i = 0; i < 2 * TcpReset::kVolleysMax; ++i) chat.say_server("and more");
  const std::uint32_t client_next = chat.next(Side::client), server_next = chat.next(Side::server);
  run(chat);
  EXPECT_TRUE(sent_to("198.51.100.7", client_next));
  EXPECT_TRUE(sent_to("192.0.2.10", server_next));
}

TEST_F(StopperTest, LeavesAllElseAlone) {
  Talk web = talk();
  web.handshake().say_client("GET / HTTP/1.1\r\n\r\n").say_server("HTTP/1.1 200 OK\r\n\r\n");
  run(web);
  EXPECT_TRUE(sent_.empty());
  EXPECT_TRUE(told_.empty());
}

TEST_F(StopperTest, LeavesManagedTrafficAlone) {
  Talk chat = talk();
  chat.handshake().say_client("CHAT hello");
  Sensor::Options options;
  options.summary.gateways.push_back(testing::endpoint("198.51.100.7:5222"));
  run(chat, reset_im(), options);
  EXPECT_TRUE(sent_.empty());
}

TEST_F(StopperTest, AlertSendsNothing) {
  Talk chat = talk();
  chat.handshake().say_client("CHAT hello");
  StopPolicy policy;
  policy.otherwise = StopAction::alert;
  run(chat, policy);
  EXPECT_TRUE(sent_.empty());
  ASSERT_EQ(told_.size(), 1U);
  EXPECT_EQ(told_[0].what, StopEvent::What::alert);
}

TEST_F(StopperTest, TheFirstRuleThatFitsCounts) {
  Talk chat = talk();
  chat.handshake().say_client("CHAT hello");
  StopPolicy policy = reset_im();
  StopRule spare;
  spare.clients = {*Network::parse("192.0.2.0/24")};
  policy.rules.insert(policy.rules.begin(), spare);
  run(chat, policy);
  EXPECT_TRUE(sent_.empty());
}

TEST_F(StopperTest, TheSwitchAndTheLimitHoldBack) {
  Talk chat = talk();
  chat.handshake().say_client("CHAT hello");
  allowed_ = false;
  run(chat);
  EXPECT_TRUE(sent_.empty());
  EXPECT_GT(counts_.switched, 0U);
  ASSERT_FALSE(told_.empty());
  EXPECT_EQ(told_[0].what, StopEvent::What::held);
  allowed_ = true;
  StopPolicy policy = reset_im();
  policy.resets_burst = 1;
  policy.resets_per_second = 0.001;
  run(chat, policy);
  EXPECT_EQ(sent_.size(), 1U);
  EXPECT_GT(counts_.limited, 0U);
}

TEST_F(StopperTest, TriesAgainAsLongAsDataFlowsAndThenSaysItFailed) {
  Talk chat = talk();
  chat.handshake().say_client("CHAT hello");
  for (int i = 0; i < 100; ++i) chat.say_server("go on").say_client("and on").wait(std::chrono::milliseconds{50});
  run(chat);
  EXPECT_GE(sent_.size(), TcpReset::kVolleysMax * 2);
  EXPECT_TRUE(std::ranges::any_of(told_, [](const StopEvent& event) { return event.what == StopEvent::What::failed; }));
  EXPECT_EQ(counts_.failed, 1U) << "it is told once";
}

TEST_F(StopperTest, AConnectionThatComesBackIsTakenUpAgain) {
  Talk chat = talk();
  chat.handshake().say_client("CHAT hello").wait(std::chrono::seconds{20});
  chat.packet(Side::server, {chat.next(Side::server), chat.next(Side::client), 1'000, TcpHeader::kAck}, "");
  chat.wait(std::chrono::seconds{20}).say_client("still here");
  const std::uint32_t client_next = chat.next(Side::client);
  run(chat);
  EXPECT_TRUE(sent_to("198.51.100.7", client_next));
}

TEST_F(StopperTest, TellsAUdpSenderAFewTimes) {
  Talk chat = talk();
  for (int i = 0; i < 50; ++i) chat.datagram(Side::client, "CHAT hello").wait(std::chrono::milliseconds{100});
  run(chat);
  ASSERT_EQ(sent_.size(), Stopper::kUnreachableMax);
  EXPECT_EQ(sent_[0][20], 3);   // destination unreachable
  EXPECT_EQ(sent_[0][21], 13);  // administratively prohibited
}

}  // namespace
}  // namespace chancery::sensor
