#include "codec/irc/irc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/testing/check.h"

namespace chancery::irc {
namespace {

CHANCERY_TRANSCRIPTS(irc, kProtocol, CHANCERY_TESTDATA);

TEST(Probe, the_beginning_of_each_side_is_known) {
  EXPECT_EQ(kProtocol.probe(Side::client, "CAP LS 302\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, "PASS x\r\nNICK alice\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, "USER alice 0 * :Alice\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::server, ":im.test NOTICE * :*** Looking up\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::server, ":im.test 001 alice :Welcome\r\n"), Likeness::yes);
}

TEST(Probe, so_is_the_middle_behind_a_cut_line) {
  EXPECT_EQ(kProtocol.probe(Side::client, "MSG #a :x\r\nPRIVMSG #a :y\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::server, "st QUIT :x\r\n:bob!b@h PRIVMSG #a :y\r\n"), Likeness::yes);
}

TEST(Probe, part_of_a_line_needs_more) {
  EXPECT_EQ(kProtocol.probe(Side::client, ""), Likeness::need_more);
  EXPECT_EQ(kProtocol.probe(Side::client, "NICK ali"), Likeness::need_more);
  EXPECT_EQ(kProtocol.probe(Side::client, "PASS x\r\n"), Likeness::need_more);
}

TEST(Probe, other_line_protocols_are_not_taken_for_it) {
  // FTP and POP3 begin with USER and PASS too; SMTP with numbers.
  EXPECT_NE(kProtocol.probe(Side::client, "USER anonymous\r\nPASS a@b\r\n"), Likeness::yes);
  EXPECT_NE(kProtocol.probe(Side::server, "220 mail.test ESMTP\r\n250 ok\r\n"), Likeness::yes);
  EXPECT_NE(kProtocol.probe(Side::client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), Likeness::yes);
  EXPECT_NE(kProtocol.probe(Side::client, "<?xml version='1.0'?><stream:stream>"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, Bytes{"\x16\x03\x01\x00\xa5", 5}), Likeness::no);
  EXPECT_EQ(kProtocol.probe(Side::client, "a\nb\nc\nd\n"), Likeness::no);
  EXPECT_NE(kProtocol.probe(Side::client, "cap multigraph dirtyconfig\nlist\n"), Likeness::yes) << "Munin";
  EXPECT_NE(kProtocol.probe(Side::client, "HI\nPING 1416230000\n"), Likeness::yes) << "a speed test";
  EXPECT_EQ(kProtocol.probe(Side::server, "PING :im.test\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, "PONG :im.test\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, Buffer(2000, 'x')), Likeness::no);
}

TEST(Memory, an_idle_connection_holds_less_than_two_kibibytes) {
  const auto codec = kProtocol.make(Limits{}, Start{});
  std::vector<Unit> units;
  const auto feed = [&](Side side, Bytes octets) {
    EXPECT_FALSE(codec->feed(side, octets, Instant{}, Boundary::stream, units));
  };
  feed(Side::client, "NICK alice\r\n");
  feed(Side::server, ":im.test 001 alice :Welcome\r\n");
  feed(Side::server, ":im.test 005 alice CHANTYPES=# PREFIX=(qaohv)~&@%+ CASEMAPPING=ascii :are supported\r\n");
  feed(Side::client, Buffer(4000, 'x') + "\r\n");
  feed(Side::client, Buffer(2000, 'x'));
  EXPECT_GT(codec->memory(), 2000U) << "a line under way counts";
  feed(Side::client, "\r\n");
  EXPECT_LT(codec->memory(), 2048U);
}

TEST(Unit, errors_of_one_side_leave_the_other_alone) {
  const auto codec = kProtocol.make(Limits{}, Start{});
  std::vector<Unit> units;
  const auto error = codec->feed(Side::client, Bytes{"a\0b\n", 4}, Instant{}, Boundary::stream, units);
  EXPECT_EQ(error, make_error_code(CodecError::malformed));
  EXPECT_EQ(codec->finish(Side::client, units), error) << "sticky";
  EXPECT_FALSE(codec->feed(Side::server, "PING x\r\n", Instant{}, Boundary::stream, units));
  EXPECT_EQ(units.size(), 1U);
}

TEST(Inject, the_gateway_has_no_voice_on_the_server) {
  const auto codec = kProtocol.make(Limits{}, Start{});
  Outbox out;
  EXPECT_FALSE(codec->inject(Side::server, "x", nullptr, out));
  EXPECT_TRUE(out.empty());
}

TEST(Inject, no_line_is_longer_than_the_protocol_allows) {
  const auto codec = kProtocol.make(Limits{}, Start{});
  Outbox out;
  ASSERT_TRUE(codec->inject(Side::client, Buffer(5000, 'x') + "\n" + Buffer(900, '\xff'), nullptr, out));
  ASSERT_EQ(out.steps().size(), 1U);
  Bytes rest = out.steps()[0].octets;
  std::size_t lines = 0;
  for (; !rest.empty(); ++lines) {
    const std::size_t end = rest.find("\r\n");
    ASSERT_NE(end, Bytes::npos);
    EXPECT_LE(end + 2, 512U);
    rest.remove_prefix(end + 2);
  }
  EXPECT_GT(lines, 10U);
}

}  // namespace
}  // namespace chancery::irc
