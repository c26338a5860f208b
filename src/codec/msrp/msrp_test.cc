#include "codec/msrp/msrp.h"

#include <gtest/gtest.h>

#include "codec/testing/check.h"

namespace chancery::msrp {
namespace {

CHANCERY_TRANSCRIPTS(msrp, kProtocol, CHANCERY_TESTDATA);

TEST(Probe, a_start_line_is_known_at_any_place) {
  EXPECT_EQ(kProtocol.probe(Side::client, "MSRP a786hjs2 SEND\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::server, "x$\r\nMSRP a786hjs2 200 OK\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, "MSRP a786"), Likeness::need_more);
  EXPECT_NE(kProtocol.probe(Side::client, "MSRP is a protocol\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, Buffer(5000, 'M')), Likeness::no);
}

}  // namespace
}  // namespace chancery::msrp
