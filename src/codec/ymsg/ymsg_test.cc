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

TEST(Probe, the_word_alone_is_not_enough) {
  EXPECT_NE(kProtocol.probe(Side::client, "GET /YMSG/docs HTTP/1.1\r\n\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, Buffer(5000, 'Y')), Likeness::no);
}

TEST(Markup, only_yahoos_own_is_removed) {
  EXPECT_EQ(without_markup("\x1b[1mbold\x1b[x1m <b>b</b> <old> 1 < 2"), "bold b <old> 1 < 2");
  EXPECT_EQ(without_markup("\x1b[not an escape of theirs"), "\x1b[not an escape of theirs");
}

}  // namespace
}  // namespace chancery::ymsg
