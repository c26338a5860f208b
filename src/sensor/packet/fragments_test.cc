#include "sensor/packet/fragments.h"

#include <gtest/gtest.h>

#include "sensor/testing/packet_writer.h"

namespace chancery::sensor {
namespace {

using testing::endpoint;

class FragmentsTest : public ::testing::Test {
 protected:
  std::optional<Bytes> add(std::uint32_t offset, Bytes octets, bool more, std::uint32_t id = 1) {
    FragmentKey key{client_, server_, id, 17};
    return fragments_.add({key, header_, offset, more, octets}, now_);
  }

  Address client_ = endpoint("192.0.2.1:1").address, server_ = endpoint("192.0.2.2:1").address;
  Buffer header_ = Buffer{"\x45", 1} + Buffer(19, '\0');
  SkipCounts skipped_;
  FragmentLimits limits_{
      .datagrams_max = 4, .bytes_max = 1U << 20U, .pieces_max = 16, .age_max = std::chrono::seconds{30}};
  Fragments fragments_{limits_, skipped_};
  Instant now_ = from_unix_ns(0);
};

TEST_F(FragmentsTest, OverlapsKeepTheOctetsThatCameFirst) {
  EXPECT_FALSE(add(0, "AAAAAAAA", true));
  EXPECT_FALSE(add(8, "BBBBBBBB", true));
  EXPECT_FALSE(add(0, "xxxxxxxxxxxxxxxx", true));
  const auto whole = add(16, "C", false);
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->substr(20), "AAAAAAAABBBBBBBBC");
  EXPECT_EQ(skipped_.of(Skip::fragment_overlap), 1U);
}

TEST_F(FragmentsTest, ADuplicateIsNoOverlap) {
  EXPECT_FALSE(add(0, "AAAAAAAA", true));
  EXPECT_FALSE(add(0, "AAAAAAAA", true));
  EXPECT_TRUE(add(8, "C", false));
  EXPECT_EQ(skipped_.of(Skip::fragment_overlap), 0U);
}

TEST_F(FragmentsTest, AnIpv6DatagramWithAnOverlapIsDropped) {
  client_ = endpoint("[2001:db8::1]:1").address;
  header_ = Buffer(40, '\0');
  EXPECT_FALSE(add(0, "AAAAAAAABBBBBBBB", true));
  EXPECT_FALSE(add(8, "xxxxxxxx", true));
  EXPECT_FALSE(add(16, "C", false));
  EXPECT_EQ(skipped_.of(Skip::fragment_overlap), 1U);
}

TEST_F(FragmentsTest, TheDatagramMayNotGrowBeyondItsLimit) {
  EXPECT_FALSE(add(65'528, "AAAAAAAA", true));  // the ping of death
  EXPECT_EQ(skipped_.of(Skip::bad_header), 1U);
  EXPECT_FALSE(add(16, "C", false));
  EXPECT_FALSE(add(24, "AAAAAAAA", true));  // behind the last
  EXPECT_EQ(skipped_.of(Skip::bad_header), 2U);
  EXPECT_FALSE(add(0, "AAAAAAA", true, 5));  // not a multiple of 8
  EXPECT_EQ(skipped_.of(Skip::bad_header), 3U);
  EXPECT_EQ(fragments_.memory(), 0U);
}

TEST_F(FragmentsTest, TooManyDatagramsPutOutTheOldest) {
  for (std::uint32_t id = 0; id < 20; ++id) EXPECT_FALSE(add(0, "AAAAAAAA", true, id));
  EXPECT_EQ(skipped_.of(Skip::fragment_limit), 16U);
  EXPECT_TRUE(add(8, "C", false, 19));
  EXPECT_FALSE(add(8, "C", false, 2));
}

TEST_F(FragmentsTest, TooManyPiecesDropTheDatagram) {
  for (std::uint32_t i = 0; i < 40; ++i) EXPECT_FALSE(add(i * 16, "AAAAAAAA", true));
  EXPECT_GE(skipped_.of(Skip::fragment_limit), 1U);
}

TEST_F(FragmentsTest, OldOnesAreForgotten) {
  EXPECT_FALSE(add(0, "AAAAAAAA", true));
  now_ += std::chrono::seconds{31};
  EXPECT_FALSE(add(8, "C", false));
  EXPECT_EQ(skipped_.of(Skip::fragment_incomplete), 1U);
}

}  // namespace
}  // namespace chancery::sensor
