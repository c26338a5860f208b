#include "sensor/enforce/apply_request.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chancery::sensor {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

const Instant kNow = from_unix_ns(1'700'000'000'000'000'000);

BlockEntry approved(std::string_view target, std::optional<Instant> expires = {}) {
  BlockEntry entry;
  entry.target = BlockTarget::parse(target).value();
  entry.state = BlockState::approved;
  entry.expires_at = expires;
  return entry;
}

std::string why_not(const std::string& lines, std::vector<Network> never = {}) {
  const auto read = read_apply_request("chancery-enforcer 1\n" + lines + "end\n", never, kNow);
  return read ? "taken" : read.error();
}

TEST(ApplyRequest, IsReadAsItWasWritten) {
  const std::vector<BlockEntry> all{approved("198.51.100.7"), approved("tcp/[2001:db8::8]:5222", kNow + seconds{90}),
                                    approved("udp/6881"), approved("chat.example.net"),
                                    approved("192.0.2.1", kNow - seconds{1})};
  const Buffer request = write_apply_request(all, kNow, seconds{3'600});
  EXPECT_EQ(request, "chancery-enforcer 1\n198.51.100.7 3600\ntcp/[2001:db8::8]:5222 90\nudp/6881 3600\nend\n");
  EXPECT_TRUE(is_whole_apply_request(request));
  const auto read = read_apply_request(request, {}, kNow);
  ASSERT_TRUE(read) << read.error();
  ASSERT_EQ(read->size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*read)[i].target, all[i].target);
    EXPECT_TRUE((*read)[i].in_force(kNow));
    EXPECT_FALSE((*read)[i].in_force(kNow + seconds{3'600})) << "nothing is for good";
  }
}

TEST(ApplyRequest, AnEmptyOneTakesAllBack) {
  const auto read = read_apply_request(write_apply_request({}, kNow, seconds{1}), {}, kNow);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->empty());
}

TEST(ApplyRequest, EveryCutIsNotWhole) {
  const Buffer request = write_apply_request(std::vector{approved("198.51.100.7")}, kNow, seconds{60});
  for (std::size_t size = 0; size < request.size(); ++size)
    EXPECT_FALSE(read_apply_request(request.substr(0, size), {}, kNow)) << size;
  EXPECT_FALSE(read_apply_request(request + "x", {}, kNow));
}

TEST(ApplyRequest, WhatIsNeverBlocked) {
  for (const auto target : {"127.0.0.1", "tcp/127.0.0.53:5353", "::1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
                            "fe80::1", "ff02::1", "169.254.169.254"})
    EXPECT_THAT(why_not(std::string{target} + " 60\n"), HasSubstr("never blocked")) << target;
  EXPECT_THAT(why_not("198.51.100.7 60\n10.0.0.5 60\n", {*Network::parse("10.0.0.0/24")}), HasSubstr("line 3"));
  for (const auto target : {"tcp/22", "udp/53", "tcp/443", "tcp/8080"})
    EXPECT_THAT(why_not(std::string{target} + " 60\n"), HasSubstr("serves everything")) << target;
}

TEST(ApplyRequest, WhatIsNoTargetAndTime) {
  for (const auto line :
       {"chat.example.net 60", "198.51.100.7", "198.51.100.7 0", "198.51.100.7 -1", "198.51.100.7 060",
        "198.51.100.7 60 ", "198.51.100.7  60", "198.51.100.7 604801", "198.51.100.0/24 60", "tcp/5222,5223 60",
        "198.51.100.7 60; flush ruleset", "TCP/5222 60", "2001:DB8::1 60", "", "tcp/70000 60", "}; 60"})
    EXPECT_THAT(why_not(std::string{line} + "\n"), HasSubstr("line 2 is not")) << line;
}

TEST(ApplyRequest, IsBounded) {
  std::string many;
  for (std::size_t i = 0; i <= kApplyEntriesMax; ++i) many += fmt::format("2001:db8::1:{:x} 60\n", i + 1);
  EXPECT_EQ(why_not(many), "the request has too many entries");
  EXPECT_EQ(why_not(std::string(kApplySizeMax, 'x')), "the request is too large");
}

}  // namespace
}  // namespace chancery::sensor
