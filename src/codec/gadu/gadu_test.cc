#include "codec/gadu/gadu.h"

#include <gtest/gtest.h>

#include "codec/testing/check.h"
#include "codec/testing/escape.h"

namespace chancery::gadu {
namespace {

CHANCERY_TRANSCRIPTS(gadu, kProtocol, CHANCERY_TESTDATA);

Buffer wire(std::string_view written) { return testing::unescape(written).value(); }

TEST(Probe, a_sign_in_is_known_and_a_welcome_is_not_enough) {
  EXPECT_EQ(kProtocol.probe(Side::client, wire("\\h{31000000}\\~4{\\h{4e61bc00}pl\\h{02}\\*64{\\xaa}\\*32{\\x00}}")),
            Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, wire("\\h{19000000}\\~4{\\h{4e61bc00 02}\\*64{\\xaa}\\*32{\\x00}}")),
            Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::server, wire("\\h{01000000 04000000 12345678}")), Likeness::need_more);
}

TEST(Probe, numbers_alone_are_not_taken_for_it) {
  EXPECT_NE(kProtocol.probe(Side::client, wire("\\h{0b000000 40000000}\\*64{\\x00}")), Likeness::yes);
  EXPECT_NE(kProtocol.probe(Side::server, wire("\\h{0a000000 40000000}\\*64{\\x01}")), Likeness::yes);
  EXPECT_NE(kProtocol.probe(Side::client, "GET / HTTP/1.1\r\n\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, Buffer(5000, '\0')), Likeness::no);
}

}  // namespace
}  // namespace chancery::gadu
