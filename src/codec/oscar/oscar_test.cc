#include "codec/oscar/oscar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/oscar/state.h"
#include "codec/testing/check.h"
#include "codec/testing/escape.h"

namespace chancery::oscar {
namespace {

CHANCERY_TRANSCRIPTS(oscar, kProtocol, CHANCERY_TESTDATA);

Buffer wire(std::string_view written) { return testing::unescape(written).value(); }

TEST(Probe, a_snac_is_known_at_any_place) {
  const Buffer snac = wire("*\\h{02 0065}\\#2{\\h{0001 0003 0000 80000000 0001 0002}}");
  EXPECT_EQ(kProtocol.probe(Side::server, wire("*\\h{01 0064}\\#2{\\h{00000001}}") + snac), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::server, "t of a message</HTML>" + snac), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, wire("*\\h{01 0001}\\#2{\\h{00000001 0006}\\#2{cookie}}")), Likeness::yes);
}

TEST(Probe, the_opening_frame_may_be_that_of_toc) {
  EXPECT_EQ(kProtocol.probe(Side::server, wire("*\\h{01 0064}\\#2{\\h{00000001}}")), Likeness::need_more);
  EXPECT_EQ(
      kProtocol.probe(Side::server, wire("*\\h{01 0064}\\#2{\\h{00000001}}*\\h{02 0065}\\#2{SIGN_ON:TOC1.0\\h{00}}")),
      Likeness::need_more);
}

TEST(Probe, part_of_a_frame_needs_more) {
  EXPECT_EQ(kProtocol.probe(Side::server, ""), Likeness::need_more);
  EXPECT_EQ(kProtocol.probe(Side::server, "*"), Likeness::need_more);
  EXPECT_EQ(kProtocol.probe(Side::server, wire("*\\h{02 0065 0010 0001}")), Likeness::need_more);
}

TEST(Probe, other_protocols_are_not_taken_for_it) {
  EXPECT_NE(kProtocol.probe(Side::client, "GET /*.html HTTP/1.1\r\nAccept: */*\r\n\r\n"), Likeness::yes);
  EXPECT_NE(kProtocol.probe(Side::server, "* OK IMAP4rev1 ready\r\n* 12 EXISTS\r\n"), Likeness::yes);
  EXPECT_NE(kProtocol.probe(Side::client, Bytes{"\x16\x03\x01\x00\xa5*\x02\x01\x00\x00\x20", 11}), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, Buffer(5000, '*')), Likeness::no);
}

// The log-in says who signs in, the room's connection only shows the cookie.
TEST(Cookies, give_a_rooms_connection_its_name) {
  const auto shared = kProtocol.make_shared(Limits{});
  Start start;
  start.passive = true;
  start.shared = shared.get();
  std::vector<Unit> units;
  const auto main = kProtocol.make(Limits{}, start);
  const auto room = kProtocol.make(Limits{}, start);
  main->feed(Side::server, wire("*\\h{02 0066}\\#2{\\h{0001 000f 0000 00000001}\\#1{alicej}\\h{0000 0000}}"), {},
             Boundary::stream, units);
  main->feed(Side::server, wire("*\\h{02 0067}\\#2{\\h{0001 0005 0000 00000001 0006}\\#2{biscuit}}"), {},
             Boundary::stream, units);
  room->feed(Side::client, wire("*\\h{01 0001}\\#2{\\h{00000001 0006}\\#2{biscuit}}"), {}, Boundary::stream, units);
  units.clear();
  room->feed(Side::client,
             wire("*\\h{02 0002}\\#2{\\h{000e 0005 0000 00000001 0102030405060708 0003 0005}\\#2{\\h{0001}\\#2{hi}}}"),
             {}, Boundary::stream, units);
  ASSERT_EQ(units.size(), 1U);
  ASSERT_EQ(units[0].events.size(), 1U);
  EXPECT_EQ(units[0].events[0].from, "alicej");
}

TEST(Cookies, are_bounded) {
  Cookies cookies;
  for (int i = 0; i < 10'000; ++i) cookies.remember("cookie" + std::to_string(i), "name" + std::to_string(i));
  EXPECT_LE(cookies.size(), 4096U);
  EXPECT_EQ(cookies.name_of("cookie9999"), "name9999");
  EXPECT_EQ(cookies.name_of("cookie0"), "");
}

TEST(Names, are_the_same_with_spaces_and_capitals) {
  EXPECT_TRUE(same_name("Alice J", "alicej"));
  EXPECT_TRUE(same_name(" a ", "A"));
  EXPECT_FALSE(same_name("alice", "alicej"));
}

TEST(Memory, an_idle_connection_holds_little) {
  Start start;
  start.passive = true;
  const auto codec = kProtocol.make(Limits{}, start);
  std::vector<Unit> units;
  codec->feed(Side::server, wire("*\\h{02 0066}\\#2{\\h{0001 0007 0000 00000001}\\*20000{x}}"), {}, Boundary::stream,
              units);
  ASSERT_EQ(units.size(), 1U);
  EXPECT_LT(codec->memory(), 2048U);
}

// Nothing can be changed in the stream: a refusal ends it, and nothing more leaves.
TEST(Release, passes_what_is_forwarded_and_ends_at_a_refusal) {
  const auto codec = kProtocol.make(Limits{}, Start{});
  std::vector<Unit> units;
  const Buffer frame = wire("*\\h{01 0064}\\#2{\\h{00000001}}");
  codec->feed(Side::server, frame + frame + frame, {}, Boundary::stream, units);
  ASSERT_EQ(units.size(), 3U);
  Outbox out;
  codec->release(std::move(units[0]), {}, out);
  ASSERT_EQ(out.steps().size(), 1U);
  EXPECT_EQ(out.steps()[0].octets, frame);
  out.clear();
  Decision refused;
  refused.verdict = Verdict::refuse;
  codec->release(std::move(units[1]), {&refused, 1}, out);
  codec->release(std::move(units[2]), {}, out);
  ASSERT_EQ(out.steps().size(), 2U);
  EXPECT_EQ(out.steps()[0].what, Step::What::close);
  EXPECT_EQ(out.steps()[1].what, Step::What::close);
}

}  // namespace
}  // namespace chancery::oscar
