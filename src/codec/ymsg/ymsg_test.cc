#include "codec/ymsg/ymsg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/testing/check.h"
#include "codec/testing/escape.h"
#include "codec/ymsg/text.h"

namespace chancery::ymsg {
namespace {

CHANCERY_TRANSCRIPTS(ymsg, kProtocol, CHANCERY_TESTDATA);

Buffer wire(std::string_view written) { return testing::unescape(written).value(); }

TEST(Probe, a_packet_is_known_at_any_place) {
  const Buffer packet = wire("YMSG\\h{0010 0000}\\#2-10{\\h{0057 00000000 00000000}1\\;alice\\;}");
  EXPECT_EQ(kProtocol.probe(Side::client, packet), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::server, "the end of one" + packet), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, "YMSG"), Likeness::need_more);
  EXPECT_EQ(kProtocol.probe(Side::client, "Y"), Likeness::need_more);
}

TEST(Probe, a_keep_alive_alone_is_not_enough) {
  const Buffer ping("YMSG\0\x10\0\0\0\0\0\x8a\0\0\0\0\0\0\0\0", 20);
  EXPECT_EQ(kProtocol.probe(Side::client, ping), Likeness::need_more);
  EXPECT_EQ(kProtocol.probe(Side::client, ping + ping), Likeness::yes);
}

TEST(Probe, the_word_alone_is_not_enough) {
  EXPECT_NE(kProtocol.probe(Side::client, "GET /YMSG/docs HTTP/1.1\r\n\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, Buffer(5000, 'Y')), Likeness::no);
}

// Each of its events would name everybody in the room.
TEST(Rooms, one_packet_makes_no_more_events_than_targets_are_allowed) {
  Start start;
  start.passive = true;
  const auto codec = kProtocol.make(Limits{}, start);
  std::vector<Unit> units;
  Buffer all;
  for (int i = 0; i < 3000; ++i) all += "109\xc0\x80" + std::to_string(i) + "\xc0\x80";
  const Buffer head = wire("\\h{0098 00000001 00000000}104\\;room\\;");
  const Buffer size{static_cast<char>((head.size() - 10 + all.size()) >> 8),
                    static_cast<char>((head.size() - 10 + all.size()) & 0xff)};
  for (int i = 0; i < 2; ++i)
    codec->feed(Side::server, wire("YMSG\\h{0010 0000}") + size + head + all, {}, Boundary::stream, units);
  ASSERT_EQ(units.size(), 2U);
  EXPECT_EQ(units[0].events.size(), 1U) << "the first list is of those who are there";
  EXPECT_EQ(units[0].events[0].present.size(), 3000U);
  EXPECT_EQ(units[1].events.size(), Limits{}.targets_max);
}

TEST(Markup, only_yahoos_own_is_removed) {
  EXPECT_EQ(without_markup("\x1b[1mbold\x1b[x1m <b>b</b> <old> 1 < 2"), "bold b <old> 1 < 2");
  EXPECT_EQ(without_markup("\x1b[not an escape of theirs"), "\x1b[not an escape of theirs");
}

}  // namespace
}  // namespace chancery::ymsg
