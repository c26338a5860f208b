#include "sensor/enforce/network.h"

#include <gtest/gtest.h>

namespace chancery::sensor {
namespace {

bool holds(std::string_view network, std::string_view address) {
  return Network::parse(network).value().holds(parse_address(address).value());
}

TEST(Network, HoldsWhatIsBehindItsPrefix) {
  EXPECT_TRUE(holds("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(holds("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(holds("172.16.0.0/12", "172.31.9.9"));
  EXPECT_FALSE(holds("172.16.0.0/12", "172.32.0.0"));
  EXPECT_TRUE(holds("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(holds("2001:db8::/33", "2001:db8:8000::1"));
  EXPECT_TRUE(holds("192.0.2.1", "192.0.2.1"));
  EXPECT_FALSE(holds("192.0.2.1", "192.0.2.2"));
  EXPECT_TRUE(holds("0.0.0.0/0", "8.8.8.8"));
  EXPECT_FALSE(holds("0.0.0.0/0", "2001:db8::1"));
  EXPECT_EQ(Network::parse("172.16.0.0/12")->text(), "172.16.0.0/12");
}

TEST(Network, RefusesWhatIsNotOne) {
  for (const char* text :
       {"", "10", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/8x", "10.0.0.1/8", "2001:db8::/129", "a.b/8", "10.0.0.0/-1"})
    EXPECT_FALSE(Network::parse(text)) << text;
}

TEST(Network, KnowsWhatIsInside) {
  const auto inside = private_networks();
  for (const char* text :
       {"10.1.2.3", "192.168.1.1", "127.0.0.1", "fe80::1", "fd00::1", "::1", "100.64.0.1", "255.255.255.255"})
    EXPECT_TRUE(any_holds(inside, *parse_address(text))) << text;
  for (const char* text : {"8.8.8.8", "192.0.2.1", "172.32.0.1", "2001:db8::1"})
    EXPECT_FALSE(any_holds(inside, *parse_address(text))) << text;
}

TEST(HostName, OnlyWhatIsSafeElsewhere) {
  for (const char* name : {"chat.example.net", "_xmpp._tcp.example.net", "a.b", "xn--bcher-kva.example"})
    EXPECT_TRUE(is_host_name(name)) << name;
  for (const char* name : {"", "localhost", "a..b", ".a.b", "a.b.", "-a.b", "a b.c", "a.b\n0.0.0.0 c", "192.0.2.1",
                           "a;drop.b", "é.example"})
    EXPECT_FALSE(is_host_name(name)) << name;
  EXPECT_FALSE(is_host_name(std::string(64, 'a') + ".b"));
  EXPECT_FALSE(is_host_name(std::string(126, 'a') + '.' + std::string(127, 'a')));
  EXPECT_TRUE(is_at_or_below("a.b.c", "b.c"));
  EXPECT_TRUE(is_at_or_below("b.c", "b.c"));
  EXPECT_FALSE(is_at_or_below("ab.c", "b.c"));
}

}  // namespace
}  // namespace chancery::sensor
