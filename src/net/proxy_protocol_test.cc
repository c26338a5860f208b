#include "net/proxy_protocol.h"

#include <gtest/gtest.h>

#include "core/encoding.h"

namespace chancery::net {
namespace {

Buffer sample() {
  return make_proxy_header(*Address::parse("192.0.2.7", 40'000), *Address::parse("198.51.100.1", 5222));
}

TEST(ProxyProtocol, MatchesTheSpecificationsLayout) {
  // doc/proxy-protocol.txt §2.2: signature, 0x21, 0x11, length 12, addresses, ports.
  EXPECT_EQ(to_hex(sample()),
            "0d0a0d0a000d0a515549540a"
            "21"
            "11"
            "000c"
            "c0000207"
            "c6336401"
            "9c40"
            "1466");
}

TEST(ProxyProtocol, WhatIsMadeIsUnderstood) {
  const auto v4 = parse_proxy_header(sample() + "rest");
  ASSERT_TRUE(v4 && *v4);
  EXPECT_EQ((*v4)->size, sample().size());
  EXPECT_EQ((*v4)->client->to_string(), "192.0.2.7:40000");
  const Buffer mixed = make_proxy_header(*Address::parse("2001:db8::5", 1), *Address::parse("198.51.100.1", 2));
  EXPECT_EQ((*parse_proxy_header(mixed))->client->to_string(), "[2001:db8::5]:1");
}

TEST(ProxyProtocol, EveryPrefixNeedsMore) {
  const Buffer whole = sample();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto header = parse_proxy_header(Bytes{whole}.substr(0, size));
    ASSERT_TRUE(header) << size;
    EXPECT_FALSE(*header) << size;
  }
}

TEST(ProxyProtocol, ALocalConnectionHasNoClient) {
  Buffer local = sample();
  local[12] = '\x20';
  EXPECT_FALSE((*parse_proxy_header(local))->client);
}

TEST(ProxyProtocol, WhatIsNotVersionTwoIsRefused) {
  Buffer wrong_version = sample();
  wrong_version[12] = '\x31';
  Buffer short_body = sample();
  short_body[15] = '\x04';
  Buffer too_long = sample();
  too_long[14] = '\x7f';
  const Buffer v1 = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n";
  for (const Buffer& octets : {wrong_version, short_body, too_long, v1, Buffer{"<stream:stream>"}})
    EXPECT_FALSE(parse_proxy_header(octets)) << octets;
}

}  // namespace
}  // namespace chancery::net
