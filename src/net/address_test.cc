#include "net/address.h"

#include <gtest/gtest.h>

namespace chancery::net {
namespace {

TEST(Address, PrintsAsItIsWritten) {
  EXPECT_EQ(Address::parse("192.0.2.1", 5222)->to_string(), "192.0.2.1:5222");
  EXPECT_EQ(Address::parse("2001:db8::1", 5222)->to_string(), "[2001:db8::1]:5222");
}

TEST(Address, AMappedAddressIsShownAsIPv4) { EXPECT_EQ(Address::parse("::ffff:192.0.2.9", 1)->host(), "192.0.2.9"); }

TEST(Address, NamesAndScopesAreNotAddresses) {
  for (const char* text : {"localhost", "", "1.2.3", "1.2.3.4.5", "fe80::1%lo", "::g"})
    EXPECT_FALSE(Address::parse(text, 1)) << text;
}

TEST(HostPort, AnIPv6AddressNeedsBrackets) {
  EXPECT_EQ(split_host_port("[::1]:80")->host, "::1");
  EXPECT_EQ(split_host_port("im.test:5222")->port, 5222);
  for (const char* text : {"::1:80", "host", "host:", "host:65536", "host:-1", "host:1x", ":80", "[]:80"})
    EXPECT_FALSE(split_host_port(text)) << text;
}

}  // namespace
}  // namespace chancery::net
