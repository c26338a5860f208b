#include "codec/msnp/msnp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/testing/check.h"

namespace chancery::msnp {
namespace {

CHANCERY_TRANSCRIPTS(msnp, kProtocol, CHANCERY_TESTDATA);

TEST(Probe, the_beginning_of_each_kind_of_connection_is_known) {
  EXPECT_EQ(kProtocol.probe(Side::client, "VER 1 MSNP15 CVR0\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::server, "VER 1 MSNP15\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, "USR 93 alice@example.org 1835953129.20013021\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, "ANS 1 alice@example.org 5abc1cdd 0460b77d\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::server, "IRO 1 1 1 alice@example.org Alice\r\n"), Likeness::yes);
}

TEST(Probe, so_is_the_middle) {
  EXPECT_EQ(kProtocol.probe(Side::client, "f a text\r\nMSG 12 N 90\r\nMIME-Version: 1.0\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::server, "half a textMSG bob@example.org Bob 90\r\nMIME"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::server, "NLN NLN bob@example.org 1 Bob 0\r\n"), Likeness::yes);
}

TEST(Probe, part_of_a_line_needs_more) {
  EXPECT_EQ(kProtocol.probe(Side::client, ""), Likeness::need_more);
  EXPECT_EQ(kProtocol.probe(Side::client, "VE"), Likeness::need_more);
  EXPECT_EQ(kProtocol.probe(Side::client, "VER 1 MSNP15"), Likeness::need_more);
}

TEST(Probe, other_line_protocols_are_not_taken_for_it) {
  EXPECT_NE(kProtocol.probe(Side::client, "GET /VER 1 HTTP/1.1\r\nHost: a@b.test\r\n\r\n"), Likeness::yes);
  EXPECT_NE(kProtocol.probe(Side::server, "220 mail.test ESMTP\r\n250 ok\r\n"), Likeness::yes);
  EXPECT_NE(kProtocol.probe(Side::client, "USR anonymous\r\nMSG 1 2\r\nCAL me\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, Buffer(5000, 'V')), Likeness::no);
}

TEST(Memory, of_messages_in_pieces_is_bounded) {
  Start start;
  start.passive = true;
  const auto codec = kProtocol.make(Limits{}, start);
  std::vector<Unit> units;
  for (int i = 0; i < 1000; ++i) {
    const std::string body = "Content-Type: text/plain\r\nMessage-ID: " + std::to_string(i) + "\r\nChunks: 2\r\n\r\n" +
                             std::string(3000, 'x');
    codec->feed(Side::server, "MSG a@example.org A " + std::to_string(body.size()) + "\r\n" + body, {},
                Boundary::stream, units);
  }
  EXPECT_EQ(units.size(), 1000U);
  EXPECT_GT(codec->memory(), 10'000U) << "it is counted";
  EXPECT_LT(codec->memory(), 40'000U);
}

}  // namespace
}  // namespace chancery::msnp
