#include "sensor/enforce/traffic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/classify/decider.h"
#include "sensor/enforce/proposal.h"
#include "sensor/sensor.h"
#include "sensor/testing/packet_writer.h"

namespace chancery::sensor {
namespace {

using testing::endpoint;
using testing::Talk;

// An answer of one A record for `name` (labels given with their lengths).
std::string dns_answer(const std::string& labels, Bytes address) {
  std::string message("\x12\x34\x81\x80\0\1\0\1\0\0\0\0", 12);
  message += labels + std::string("\0\0\1\0\1", 5);
  message += std::string("\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4", 12);
  return message + std::string{address};
}

TEST(TrafficCollector, AddsUpFlowsAndKeepsNamesOfDns) {
  const Instant begin = from_unix_ns(1'700'000'000'000'000'000);
  TrafficCollector collector{Hosts::standard()};
  Sensor sensor{{}, make_decider({})};
  sensor.watch(collector);
  for (int i = 0; i < 2; ++i) {
    Talk chat{endpoint("10.0.0.5:4000" + std::to_string(i)), endpoint("198.51.100.7:6667"),
              begin + std::chrono::seconds{i}};
    chat.handshake().say_client("NICK ada\r\nUSER ada 0 * :Ada\r\n").say_server(":irc.example 001 ada :Welcome\r\n");
    chat.say_client("JOIN #all\r\nPRIVMSG #all :hello\r\n");
    for (const auto& frame : chat.frames()) sensor.frame(frame.view());
  }
  Talk dns{endpoint("10.0.0.9:5353"), endpoint("10.0.0.1:53"), begin};
  std::string question("\x12\x34\1\0\0\1\0\0\0\0\0\0", 12);
  question += std::string("\6update\7example\3com\0\0\1\0\1", 24);
  dns.datagram(Side::client, question);
  dns.datagram(Side::server, dns_answer("\6update\7example\3com", endpoint("198.51.100.7:1").address.wire()));
  for (const auto& frame : dns.frames()) sensor.frame(frame.view());
  sensor.finish();

  const auto rows = collector.take();
  const auto irc = std::ranges::find(rows, "IRC", &Seen::application);
  ASSERT_NE(irc, rows.end());
  EXPECT_EQ(irc->flows, 2U);
  EXPECT_EQ(irc->server, endpoint("198.51.100.7:6667"));
  EXPECT_EQ(irc->category, Category::im);
  EXPECT_GT(irc->bytes, 200U);
  const auto name = std::ranges::find(rows, "update.example.com", &Seen::host);
  ASSERT_NE(name, rows.end());
  EXPECT_EQ(name->flows, 0U);
  EXPECT_TRUE(collector.take().empty());

  // The address has an innocent name: only its IRC port is proposed.
  const Proposals proposals = propose(rows, {}, begin);
  ASSERT_EQ(proposals.entries.size(), 1U);
  EXPECT_EQ(proposals.entries[0].target.text(), "tcp/198.51.100.7:6667");
}

}  // namespace
}  // namespace chancery::sensor
