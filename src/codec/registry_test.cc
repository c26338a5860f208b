#include "codec/registry.h"

#include <gtest/gtest.h>
#include <span>
#include <string_view>
#include <vector>

namespace chancery {
namespace {

TEST(Registry, every_protocol_is_found_by_its_name_and_has_one) {
  for (const Protocol* protocol : protocols()) {
    EXPECT_EQ(find_protocol(protocol->name), protocol) << "two are called " << protocol->name;
    EXPECT_NE(protocol->probe, nullptr) << protocol->name;
    EXPECT_NE(protocol->make, nullptr) << protocol->name;
  }
  EXPECT_EQ(find_protocol("telepathy"), nullptr);
}

TEST(Registry, a_listener_can_only_be_for_what_is_spoken) {
  const auto names = [](std::span<const Protocol* const> all) {
    std::vector<std::string_view> found;
    for (const Protocol* protocol : all) found.push_back(protocol->name);
    return found;
  };
  EXPECT_EQ(names(gateway_protocols()), (std::vector<std::string_view>{"xmpp", "irc"}));
}

// The sensor asks all of them about the same octets: not more than one may claim them.
TEST(Registry, what_is_one_protocols_is_not_anothers) {
  struct Sample {
    std::string_view name;
    Side from;
    Bytes octets;
  };
  const Bytes ymsg{"YMSG\0\x10\0\0\0\0\0W\0\0\0\0\0\0\0\0", 20};
  const Bytes oscar{"*\2\0\1\0\14\0\4\0\6\0\0\0\0\0\1\0\0", 18};
  const Bytes toc{"*\2\0\1\0\20toc_send_im a b", 22};
  const std::vector<Sample> samples{
      {"ymsg", Side::client, ymsg},
      {"oscar", Side::client, oscar},
      {"toc", Side::client, toc},
      {"toc", Side::client, "FLAPON\r\n\r\n"},
      {"msnp", Side::client, "VER 1 MSNP15 CVR0\r\n"},
      {"msnp", Side::server, "MSG bob@example.org Bob 90\r\n"},
      {"sip", Side::client, "MESSAGE sip:bob@im.test SIP/2.0\r\n"},
      {"msrp", Side::client, "MSRP a786hjs2 SEND\r\n"},
      {"irc", Side::client, "NICK alice\r\nUSER alice 0 * :Alice\r\n"},
      {"xmpp", Side::client,
       "<?xml version='1.0'?><stream:stream xmlns='jabber:client' "
       "xmlns:stream='http://etherx.jabber.org/streams' to='im.test' version='1.0'>"},
  };
  for (const Sample& sample : samples)
    for (const Protocol* protocol : protocols())
      EXPECT_EQ(protocol->probe(sample.from, sample.octets) == Likeness::yes, protocol->name == sample.name)
          << sample.name << " and " << protocol->name;
}

}  // namespace
}  // namespace chancery
