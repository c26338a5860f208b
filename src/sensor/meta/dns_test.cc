#include "sensor/meta/dns.h"

#include <gmock/gmock.h>

#include "sensor/meta/testing.h"

namespace chancery::sensor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Buffer name(std::string_view text) {
  Buffer octets;
  while (!text.empty()) {
    const auto dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    octets += static_cast<char>(label.size());
    octets += label;
    text = dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1);
  }
  return octets + '\0';
}
Buffer be(unsigned value, int size) {
  Buffer octets;
  while (size-- > 0) octets += static_cast<char>(value >> (8 * size));
  return octets;
}
Buffer record(const Buffer& owner, unsigned type, unsigned ttl_s, const Buffer& data) {
  return owner + be(type, 2) + be(1, 2) + be(ttl_s, 4) + be(static_cast<unsigned>(data.size()), 2) + data;
}
Buffer message(unsigned flags, unsigned answers, const Buffer& body) {
  return be(0x1234, 2) + be(flags, 2) + be(1, 2) + be(answers, 2) + be(0, 4) + body;
}
const Buffer kPointer{"\xc0\x0c", 2};  // to the question's name

Buffer answer() {
  const Buffer question = name("Web.WhatsApp.com") + be(1, 2) + be(1, 2);
  return message(0x8180, 3,
                 question + record(kPointer, 5, 3600, name("mmx-ds.cdn.whatsapp.net")) +
                     record(name("mmx-ds.cdn.whatsapp.net"), 1, 60, Buffer{"\xc0\x00\x02\x01", 4}) +
                     record(name("other.example"), 1, 60, Buffer{"\xc0\x00\x02\x09", 4}));
}

TEST(Dns, addresses_of_aliases_belong_to_the_question_and_others_do_not) {
  const auto found = parse_dns(answer());
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->response);
  EXPECT_EQ(found->question, "web.whatsapp.com");
  EXPECT_THAT(found->aliases, ElementsAre("mmx-ds.cdn.whatsapp.net"));
  ASSERT_EQ(found->addresses.size(), 1U);
  EXPECT_EQ(found->addresses[0].address.text(), "192.0.2.1");
  EXPECT_EQ(found->addresses[0].ttl_s, 60U);
}

TEST(Dns, a_query_teaches_no_address) {
  const auto found = parse_dns(message(0x0100, 0, name("irc.libera.chat") + be(28, 2) + be(1, 2)));
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->response);
  EXPECT_EQ(found->type, 28);
  EXPECT_THAT(found->addresses, IsEmpty());
}

TEST(Dns, https_records_hint_addresses) {
  const Buffer hint = be(4, 2) + be(4, 2) + Buffer{"\xc0\x00\x02\x07", 4};
  const Buffer body =
      name("a.test") + be(65, 2) + be(1, 2) + record(kPointer, 65, 5, be(1, 2) + Buffer(1, '\0') + hint);
  const auto found = parse_dns(message(0x8180, 1, body));
  ASSERT_TRUE(found);
  ASSERT_EQ(found->addresses.size(), 1U);
  EXPECT_EQ(found->addresses[0].address.text(), "192.0.2.7");
}

TEST(Dns, pointers_that_go_round_end) {
  const Buffer loop = message(0x8180, 1, Buffer{"\xc0\x0c\0\1\0\1", 6} + Buffer(20, '\0'));
  EXPECT_FALSE(parse_dns(loop));
}

TEST(Dns, cut_anywhere_it_gives_what_was_whole) {
  const Buffer whole = answer();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto found = parse_dns(Bytes{whole}.substr(0, size));
    EXPECT_LE(found ? found->addresses.size() : 0U, 1U);
  }
}

TEST(Dns, over_tcp_messages_have_a_length) {
  const Buffer one = be(static_cast<unsigned>(answer().size()), 2) + answer();
  EXPECT_EQ(parse_dns_stream(one + one + one.substr(0, 9)).size(), 2U);
  EXPECT_THAT(parse_dns_stream("GET / HTTP/1.1\r\n\r\n"), IsEmpty());
}

TEST(Dns, other_datagrams_are_not_dns) {
  for (const Buffer& other : {Buffer(64, '\0'), Buffer(64, '\xff'), Buffer{"SIP/2.0 200 OK\r\nVia: x\r\n"}, Buffer{}})
    EXPECT_FALSE(parse_dns(other));
}

}  // namespace
}  // namespace chancery::sensor
