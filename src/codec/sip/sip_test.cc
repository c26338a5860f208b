#include "codec/sip/sip.h"

#include <gtest/gtest.h>

#include "codec/sip/message.h"
#include "codec/testing/check.h"

namespace chancery::sip {
namespace {

CHANCERY_TRANSCRIPTS(sip, kProtocol, CHANCERY_TESTDATA);

TEST(Probe, requests_and_responses_are_known) {
  EXPECT_EQ(kProtocol.probe(Side::client, "MESSAGE sip:bob@im.test SIP/2.0\r\nVia: x\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, "\r\n\r\nREGISTER sip:im.test SIP/2.0\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::server, "SIP/2.0 401 Unauthorized\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::server, "half a body SIP/2.0 200 OK\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::client, "MESSAGE sip:bob@im.te"), Likeness::need_more);
}

TEST(Probe, http_and_rtsp_are_not) {
  EXPECT_NE(kProtocol.probe(Side::client, "OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n"), Likeness::yes);
  EXPECT_NE(kProtocol.probe(Side::client, "OPTIONS rtsp://x/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"), Likeness::yes);
  EXPECT_NE(kProtocol.probe(Side::server, "HTTP/1.1 200 OK\r\n\r\n"), Likeness::yes);
  EXPECT_EQ(kProtocol.probe(Side::server, Buffer(5000, 'S')), Likeness::no);
}

TEST(Address, is_what_stands_in_the_uri) {
  EXPECT_EQ(address_of("\"A <B>\" <sip:alice@im.test;x=y>;tag=1"), "alice@im.test");
  EXPECT_EQ(address_of("<sip:alice@im.test:5060;transport=udp>;tag=1"), "alice@im.test:5060");
  EXPECT_EQ(address_of("sip:alice@im.test;tag=1"), "alice@im.test");
  EXPECT_EQ(address_of("tel:+15550100"), "+15550100");
  EXPECT_EQ(address_of("<"), "");
  EXPECT_EQ(address_of(""), "");
}

}  // namespace
}  // namespace chancery::sip
