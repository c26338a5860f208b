#include "sensor/read/legs.h"

#include <gtest/gtest.h>
#include <string>

#include "sensor/testing/packet_writer.h"

namespace chancery::sensor {
namespace {

using testing::endpoint;

class LegsTest : public ::testing::Test {
 protected:
  static Leg leg(Side side, std::uint64_t flow, std::string_view text, std::string_view from = "anna",
                 std::string_view to = "bjorn") {
    Leg made;
    made.time = from_unix_ns(1'000'000'000);
    made.protocol = "toy";
    made.from = from;
    made.to = to;
    made.text = text;
    made.side = side;
    made.server = endpoint("192.0.2.1:5190");
    made.flow = flow;
    return made;
  }
  // The number of the message this is a copy of; -1: a message of its own.
  int match(const Leg& each) {
    const auto copy = legs_.match(each, number_++);
    return copy ? static_cast<int>(*copy) : -1;
  }

  Legs legs_;
  std::uint64_t number_ = 0;
};

// A SIP proxy opens the connection to the receiver: it is the client of the second leg.
TEST_F(LegsTest, TheSameIdMakesAClientsWordsALaterLeg) {
  const auto with = [](Leg leg, std::string_view id) {
    leg.id = id;
    return leg;
  };
  EXPECT_EQ(match(with(leg(Side::client, 1, "ok"), "a@one")), -1);
  EXPECT_EQ(match(with(leg(Side::client, 1, "ok"), "b@one")), -1);
  EXPECT_EQ(match(with(leg(Side::client, 2, "ok"), "b@one")), 1);
  EXPECT_EQ(match(with(leg(Side::client, 2, "ok"), "a@one")), 0);
  EXPECT_EQ(match(with(leg(Side::client, 2, "ok"), "c@one")), -1);
  EXPECT_EQ(match(leg(Side::client, 3, "ok")), -1);
}

TEST_F(LegsTest, TheReceiversLegNamesTheSenders) {
  EXPECT_EQ(match(leg(Side::client, 1, "hi")), -1);
  EXPECT_EQ(match(leg(Side::server, 2, "hi")), 0);
}

TEST_F(LegsTest, TheSameWordsTwiceAreTwoMessages) {
  EXPECT_EQ(match(leg(Side::client, 1, "ok")), -1);
  EXPECT_EQ(match(leg(Side::client, 1, "ok")), -1);
  EXPECT_EQ(match(leg(Side::server, 2, "ok")), 0);
  EXPECT_EQ(match(leg(Side::server, 2, "ok")), 1);
  EXPECT_EQ(match(leg(Side::server, 2, "ok")), -1);
}

TEST_F(LegsTest, EachReceiverHasALegOfTheOneMessage) {
  EXPECT_EQ(match(leg(Side::client, 1, "all", "anna", "bjorn,chidi")), -1);
  EXPECT_EQ(match(leg(Side::server, 2, "all", "anna", "bjorn,chidi")), 0);
  EXPECT_EQ(match(leg(Side::server, 3, "all", "anna", "chidi")), 0);
}

TEST_F(LegsTest, AlsoWithoutTheSendersLeg) {
  EXPECT_EQ(match(leg(Side::server, 2, "all", "anna", "bjorn,chidi")), -1);
  EXPECT_EQ(match(leg(Side::server, 3, "all", "anna", "bjorn,chidi")), 0);
}

TEST_F(LegsTest, TheLegsMayComeInEitherOrder) {
  EXPECT_EQ(match(leg(Side::server, 2, "hi")), -1);
  EXPECT_EQ(match(leg(Side::client, 1, "hi")), 0);
}

TEST_F(LegsTest, TwoClientsWithTheSameWordsAreTwoMessages) {
  EXPECT_EQ(match(leg(Side::client, 1, "hello", "", "")), -1);
  EXPECT_EQ(match(leg(Side::client, 2, "hello", "", "")), -1);
}

TEST_F(LegsTest, OtherPartiesOrOtherTextIsAnotherMessage) {
  EXPECT_EQ(match(leg(Side::client, 1, "hi")), -1);
  EXPECT_EQ(match(leg(Side::server, 2, "hi", "dora")), -1);
  EXPECT_EQ(match(leg(Side::server, 2, "hi", "anna", "emil")), -1);
  EXPECT_EQ(match(leg(Side::server, 2, "hi!")), -1);
}

TEST_F(LegsTest, WhatIsNotSaidFitsAtTheSameServerOnly) {
  EXPECT_EQ(match(leg(Side::client, 1, "hi", "", "bjorn")), -1);
  Leg elsewhere = leg(Side::server, 2, "hi");
  elsewhere.server = endpoint("198.51.100.9:5190");
  EXPECT_EQ(match(elsewhere), -1);
  EXPECT_EQ(match(leg(Side::server, 3, "hi")), 0);
}

TEST_F(LegsTest, TheTimeBetweenIsBoundedUnlessItWasDelivered) {
  EXPECT_EQ(match(leg(Side::client, 1, "hi")), -1);
  Leg late = leg(Side::server, 2, "hi");
  late.time += kLegTime + std::chrono::seconds{1};
  late.delayed = true;
  EXPECT_EQ(match(late), 0);
  late.delayed = false;
  late.flow = 3;
  EXPECT_EQ(match(late), -1);
}

TEST_F(LegsTest, AnEchoMayComeDownTheSendersFlow) {
  Leg said = leg(Side::client, 1, "hi", "anna@x", "");
  said.room = "tea@rooms";
  EXPECT_EQ(match(said), -1);
  Leg echo = said;
  echo.side = Side::server;
  echo.from = "tea@rooms/anna";
  echo.echo = true;
  EXPECT_EQ(match(echo), 0);
  echo.flow = 2;
  echo.echo = false;
  EXPECT_EQ(match(echo), 0);
}

TEST_F(LegsTest, OldOnesAreForgottenAndTheTableStaysWhole) {
  for (int round = 0; round < 3; ++round)
    for (std::size_t i = 0; i < kLegsMax; ++i) (void)match(leg(Side::client, 1, "text " + std::to_string(i)));
  EXPECT_GE(match(leg(Side::server, 2, "text 8000")), static_cast<int>(2 * kLegsMax));
}

}  // namespace
}  // namespace chancery::sensor
