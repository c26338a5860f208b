#include "sensor/packet/endpoint.h"

#include <gtest/gtest.h>

namespace chancery::sensor {
namespace {

TEST(Endpoint, V4IsWrittenWithAColon) {
  const Endpoint endpoint{Address::v4(Bytes{"\xc0\x00\x02\x01", 4}), 5222};
  EXPECT_TRUE(endpoint.address.is_v4());
  EXPECT_EQ(endpoint.text(), "192.0.2.1:5222");
  EXPECT_EQ(endpoint.address.wire(), (Bytes{"\xc0\x00\x02\x01", 4}));
}

TEST(Endpoint, V6IsWrittenInBrackets) {
  const Endpoint endpoint{Address::v6(Bytes{"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16}), 443};
  EXPECT_FALSE(endpoint.address.is_v4());
  EXPECT_EQ(endpoint.text(), "[2001:db8::1]:443");
  EXPECT_EQ(endpoint.address.wire().size(), 16U);
}

TEST(Endpoint, WhatIsWrittenIsReadAgain) {
  for (const char* text : {"192.0.2.1:5222", "[2001:db8::1]:443"})
    EXPECT_EQ(Endpoint::parse(text).value().text(), text);
  EXPECT_EQ(Endpoint::parse("192.0.2.1").value().port, 0);
  EXPECT_EQ(Endpoint::parse("2001:db8::1").value().port, 0);
  for (const char* text : {"", ":", "host", "192.0.2.1:", "192.0.2.1:x", "192.0.2.1:70000", "[::1", "[::1]x", "[::1]:"})
    EXPECT_FALSE(Endpoint::parse(text)) << text;
}

}  // namespace
}  // namespace chancery::sensor
