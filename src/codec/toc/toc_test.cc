#include "codec/toc/toc.h"

#include <gtest/gtest.h>

#include "codec/testing/check.h"
#include "codec/testing/escape.h"

namespace chancery::toc {
namespace {

CHANCERY_TRANSCRIPTS(toc, kProtocol, CHANCERY_TESTDATA);

Buffer wire(std::string_view written) { return testing::unescape(written).value(); }

TEST(Probe, both_sides_are_known_and_oscar_is_not) {
  EXPECT_EQ(kProtocol.probe(Side::client, "FLAPON\r\n\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, "FLAP"), Likeness::need_more);
  EXPECT_EQ(kProtocol.probe(Side::server, wire("*\\h{02 0065}\\#2{SIGN_ON:TOC1.0}")), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, wire("xx*\\h{02 0065}\\#2{toc_send_im bob hi}")), Likeness::yes);
  EXPECT_NE(kProtocol.probe(Side::server, wire("*\\h{02 0065}\\#2{\\h{0001 0003 0000 80000000 0001}}")), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, Buffer(5000, 'F')), Likeness::no);
}

}  // namespace
}  // namespace chancery::toc
