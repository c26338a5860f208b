#include "sensor/enforce/reset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "sensor/enforce/network.h"

namespace chancery::sensor {
namespace {

Instant ms(std::int64_t value) { return from_unix_ns(value * 1'000'000); }

// An end as the kernel has it: only what decides about a reset (RFC 5961 §3.2).
struct Peer {
  std::uint32_t rcv_next;
  bool reset = false;
  bool challenged = false;

  void take(const Shot& shot) {
    if (shot.seq == rcv_next)
      reset = true;
    else if (static_cast<std::int32_t>(shot.seq - rcv_next) > 0 && shot.seq - rcv_next < 65'535)
      challenged = true;
  }
};

Segment data(Side from, std::uint32_t seq, std::uint32_t length, std::uint32_t ack, std::int64_t at) {
  return {.from = from, .seq = seq, .ack = ack, .length = length, .has_ack = true, .rst = false, .time = ms(at)};
}

// All that is to be sent is.
std::vector<Shot> fire(TcpReset& reset, std::int64_t at) {
  std::vector<Shot> shots = reset.volley();
  if (!shots.empty()) reset.fired(shots, ms(at));
  return shots;
}

std::set<std::uint32_t> aimed_at(const std::vector<Shot>& shots, Side to) {
  std::set<std::uint32_t> out;
  for (const Shot& shot : shots)
    if (shot.to == to) out.insert(shot.seq);
  return out;
}

TEST(TcpReset, HitsBothEndsOfAnIdleConnection) {
  TcpReset reset;
  reset.observe(data(Side::client, 1'000, 50, 9'000, 1));
  reset.observe(data(Side::server, 9'000, 0, 1'050, 2));
  const auto shots = fire(reset, 3);
  EXPECT_TRUE(aimed_at(shots, Side::server).contains(1'050));
  EXPECT_TRUE(aimed_at(shots, Side::client).contains(9'000));
  EXPECT_EQ(reset.outcome(ms(4)), TcpReset::Outcome::open);
  EXPECT_EQ(reset.outcome(ms(4'000)), TcpReset::Outcome::ended);
}

TEST(TcpReset, NumbersWrap) {
  TcpReset reset;
  reset.observe(data(Side::client, 0xffff'fff0U, 0x20, 5, 1));
  reset.observe(data(Side::client, 0x10, 4, 5, 2));
  EXPECT_TRUE(aimed_at(fire(reset, 3), Side::server).contains(0x14));
}

TEST(TcpReset, AnOldSegmentDoesNotTurnItBack) {
  TcpReset reset;
  reset.observe(data(Side::client, 2'000, 10, 5, 1));
  reset.observe(data(Side::client, 1'000, 10, 5, 2));  // retransmission
  EXPECT_TRUE(aimed_at(fire(reset, 3), Side::server).contains(2'010));
}

// The peer has sent one more message of the same size when the volley arrives: a later step hits it.
TEST(TcpReset, WinsTheRaceByALaterStep) {
  TcpReset reset;
  reset.observe(data(Side::client, 1'000, 80, 9'000, 1));
  reset.observe(data(Side::server, 9'000, 0, 1'080, 1));
  Peer server{1'160};
  for (const Shot& shot : fire(reset, 2))
    if (shot.to == Side::server) server.take(shot);
  EXPECT_TRUE(server.reset);
}

TEST(TcpReset, AChallengeAckTellsTheRightNumber) {
  TcpReset reset;
  reset.observe(data(Side::client, 1'000, 80, 9'000, 1));
  fire(reset, 2);
  reset.observe(data(Side::server, 9'000, 0, 1'333, 3));  // it had more than we saw
  EXPECT_TRUE(aimed_at(fire(reset, 4), Side::server).contains(1'333));
}

TEST(TcpReset, OursComingBackAreNotAnAnswer) {
  TcpReset reset;
  reset.observe(data(Side::client, 1'000, 80, 9'000, 1));
  for (const Shot& shot : fire(reset, 2))
    reset.observe({.from = shot.to == Side::client ? Side::server : Side::client,
                   .seq = shot.seq,
                   .ack = shot.ack,
                   .length = 0,
                   .has_ack = true,
                   .rst = true,
                   .time = ms(3)});
  EXPECT_EQ(reset.outcome(ms(4)), TcpReset::Outcome::open);
  reset.observe({.from = Side::server, .seq = 77, .ack = 0, .length = 0, .has_ack = false, .rst = true, .time = ms(5)});
  EXPECT_TRUE(aimed_at(fire(reset, 6), Side::server).empty());
  EXPECT_EQ(reset.outcome(ms(5'000)), TcpReset::Outcome::open) << "the client may have missed it";
  for (std::int64_t at = 10; at < 2'000; at += 10)
    if (const auto shots = reset.repetition(ms(at)); !shots.empty()) reset.fired(shots, ms(at));
  EXPECT_EQ(reset.outcome(ms(2'000)), TcpReset::Outcome::ended);
}

TEST(TcpReset, GivesUpAndSaysSo) {
  TcpReset reset;
  for (unsigned i = 0; i < 40; ++i) {
    reset.observe(data(Side::client, 1'000 + i * 10, 10, 9'000, i));
    EXPECT_EQ(fire(reset, i).empty(), i >= TcpReset::kVolleysMax);
  }
  EXPECT_EQ(reset.outcome(ms(50)), TcpReset::Outcome::open) << "the clock tries again";
  for (unsigned i = 40; i < 2'000; ++i) {
    reset.observe(data(Side::client, 1'000 + i * 10, 10, 9'000, i));
    if (const auto shots = reset.repetition(ms(i)); !shots.empty()) reset.fired(shots, ms(i));
  }
  EXPECT_EQ(reset.outcome(ms(2'000)), TcpReset::Outcome::failed);
}

// The answer is on its way while the verdict falls: the client expects another number when the shot arrives.
TEST(TcpReset, AnAnswerThatCrossesTheVolleyIsAimedAtTheNewNumber) {
  TcpReset reset;
  reset.observe(data(Side::client, 1'000, 80, 9'000, 1));
  EXPECT_TRUE(aimed_at(fire(reset, 2), Side::client).contains(9'000));
  reset.observe(data(Side::server, 9'000, 500, 1'080, 3));
  EXPECT_TRUE(aimed_at(fire(reset, 3), Side::client).contains(9'500));
}

TEST(TcpReset, ASegmentThatMovesNothingIsNoNewTry) {
  TcpReset reset;
  reset.observe(data(Side::client, 1'000, 80, 9'000, 1));
  reset.observe(data(Side::server, 9'000, 0, 1'080, 1));
  EXPECT_FALSE(fire(reset, 2).empty());
  for (int i = 0; i < 50; ++i) {
    reset.observe(data(Side::server, 9'000, 0, 1'080, 3));
    EXPECT_TRUE(fire(reset, 3).empty());
  }
  EXPECT_EQ(reset.volleys(), 1U);
}

TEST(TcpReset, AnIdleConnectionIsTriedAgainByTheClock) {
  TcpReset reset;
  reset.observe(data(Side::client, 1'000, 80, 9'000, 1));
  fire(reset, 2);
  reset.observe(data(Side::server, 9'000, 500, 1'080, 3));
  reset.observe(data(Side::client, 1'080, 0, 9'500, 3));
  fire(reset, 3);
  unsigned tries = 0;
  for (std::int64_t at = 4; at < 2'000; ++at) {
    const auto shots = reset.repetition(ms(at));
    if (shots.empty()) continue;
    ++tries;
    EXPECT_EQ(aimed_at(shots, Side::client), std::set<std::uint32_t>{9'500});
    EXPECT_EQ(aimed_at(shots, Side::server), std::set<std::uint32_t>{1'080});
    reset.fired(shots, ms(at));
  }
  EXPECT_EQ(tries, TcpReset::kPauses.size());
  EXPECT_FALSE(reset.next_try());
}

TEST(TcpReset, WhatWasHeldBackIsNoTryAndIsTriedAgainByTheClock) {
  TcpReset reset;
  for (unsigned i = 0; i < 2 * TcpReset::kVolleysMax; ++i) {
    reset.observe(data(Side::client, 1'000 + i * 10, 10, 9'000, i));
    EXPECT_FALSE(reset.volley().empty());
    reset.fired({}, ms(i));
  }
  EXPECT_EQ(reset.volleys(), 0U);
  ASSERT_TRUE(reset.next_try());
  EXPECT_TRUE(aimed_at(reset.repetition(*reset.next_try()), Side::server).contains(1'000 + 20 * TcpReset::kVolleysMax));
}

TEST(TcpReset, WithoutASegmentThereIsNothingToSend) {
  TcpReset reset;
  EXPECT_TRUE(fire(reset, 1).empty());
}

// The sum over a packet with a right checksum is 0xffff (RFC 1071).
std::uint32_t ones_sum(Bytes octets, std::uint32_t sum) {
  for (std::size_t i = 0; i + 1 < octets.size(); i += 2)
    sum += std::uint32_t{static_cast<std::uint8_t>(octets[i])} << 8U | static_cast<std::uint8_t>(octets[i + 1]);
  if (octets.size() % 2 != 0) sum += std::uint32_t{static_cast<std::uint8_t>(octets.back())} << 8U;
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  return sum;
}

TEST(ResetPacket, V4) {
  const Buffer packet =
      reset_packet({*parse_address("192.0.2.1"), 1'234}, {*parse_address("198.51.100.2"), 5'222}, 7, 9);
  ASSERT_EQ(packet.size(), 40U);
  EXPECT_EQ(ones_sum(packet.substr(0, 20), 0), 0xffffU);
  EXPECT_EQ(ones_sum(packet.substr(20), ones_sum(packet.substr(12, 8), 6 + 20)), 0xffffU);
  EXPECT_EQ(packet[33], 0x14);
  EXPECT_EQ(packet.substr(24, 4), std::string("\0\0\0\x07", 4));
}

TEST(ResetPacket, V6) {
  const Buffer packet =
      reset_packet({*parse_address("2001:db8::1"), 1'234}, {*parse_address("2001:db8::2"), 5'222}, 7, 9);
  ASSERT_EQ(packet.size(), 60U);
  EXPECT_EQ(ones_sum(packet.substr(40), ones_sum(packet.substr(8, 32), 6 + 20)), 0xffffU);
}

TEST(UnreachablePacket, QuotesTheDatagram) {
  Buffer datagram = std::string("\x45\0\0\x20\0\0\0\0\x40\x11\0\0\xc0\0\x02\x01\xc6\x33\x64\x02", 20) + "abcdefghijkl";
  const Buffer packet = unreachable_packet(datagram);
  ASSERT_EQ(packet.size(), 20U + 8 + 28);
  EXPECT_EQ(packet.substr(12, 8), std::string("\xc6\x33\x64\x02\xc0\0\x02\x01", 8));
  EXPECT_EQ(ones_sum(packet.substr(20), 0), 0xffffU);
  EXPECT_EQ(packet.substr(28), datagram.substr(0, 28));
  for (std::size_t size = 0; size < 28; ++size)
    EXPECT_TRUE(unreachable_packet(datagram.substr(0, size)).empty()) << size;
  const Buffer six = std::string("\x60\0\0\0\0\x0c\x11\x40", 8) + std::string(15, '\0') + "\x01" +
                     std::string(15, '\0') + "\x02" + "abcdefghijkl";
  const Buffer answer = unreachable_packet(six);
  ASSERT_EQ(answer.size(), 40U + 8 + six.size());
  const std::uint32_t pseudo = ones_sum(answer.substr(8, 32), static_cast<std::uint32_t>(58 + answer.size() - 40));
  EXPECT_EQ(ones_sum(answer.substr(40), pseudo), 0xffffU);
}

TEST(RateLimit, WhatMattersLessLeavesSomeSpare) {
  RateLimit limit{10, 3};
  EXPECT_TRUE(limit.take(ms(1'000), 2));
  EXPECT_FALSE(limit.take(ms(1'000), 2));
  EXPECT_TRUE(limit.take(ms(1'000)));
}

TEST(RateLimit, BurstThenTheRate) {
  RateLimit limit{10, 3};
  EXPECT_TRUE(limit.take(ms(1'000)) && limit.take(ms(1'000)) && limit.take(ms(1'000)));
  EXPECT_FALSE(limit.take(ms(1'000)));
  EXPECT_FALSE(limit.take(ms(1'050)));
  EXPECT_TRUE(limit.take(ms(1'110)));
  EXPECT_FALSE(limit.take(ms(1'120)));
}

}  // namespace
}  // namespace chancery::sensor
