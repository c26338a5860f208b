#include "codec/winpopup/winpopup.h"

#include <gtest/gtest.h>

#include "codec/testing/check.h"
#include "codec/testing/escape.h"

namespace chancery::winpopup {
namespace {

CHANCERY_TRANSCRIPTS(winpopup, kProtocol, CHANCERY_TESTDATA);

Buffer wire(std::string_view written) { return testing::unescape(written).value(); }

TEST(Probe, messages_are_known_and_file_sharing_is_not) {
  EXPECT_EQ(kProtocol.probe(Side::client, wire("\\h{00 00 0040}\\xffSMB\\xd0\\*27{\\x00}")), Likeness::yes);
  EXPECT_NE(kProtocol.probe(Side::client, wire("\\h{00 00 0040}\\xffSMB\\x72\\*27{\\x00}")), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, wire("\\h{00 00 0040}\\xffSM")), Likeness::need_more);
  EXPECT_NE(kProtocol.probe(Side::client, "GET / HTTP/1.1\r\n\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, Buffer(5000, 'x')), Likeness::no);
}

}  // namespace
}  // namespace chancery::winpopup
