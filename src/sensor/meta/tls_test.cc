#include <gmock/gmock.h>

#include "sensor/meta/certificate.h"
#include "sensor/meta/testing.h"

namespace chancery::sensor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kData = CHANCERY_TESTDATA "/";

TEST(Tls, a_client_hello_names_the_server_in_lower_case) {
  ClientHello hello;
  ASSERT_EQ(parse_client_hello(read_hex(kData + "tls12_client.hex"), hello), Parsed::yes);
  EXPECT_EQ(hello.server_name, "chat.example.org");
  EXPECT_THAT(hello.alpn, ElementsAre("h2", "xmpp-client"));
  EXPECT_EQ(hello.version, 0x0303);
  EXPECT_FALSE(hello.encrypted_hello);
  EXPECT_EQ(hello.ja3.size(), 32U);
}

TEST(Tls, version_1_3_stands_in_an_extension) {
  ClientHello hello;
  ASSERT_EQ(parse_client_hello(read_hex(kData + "tls13_client.hex"), hello), Parsed::yes);
  EXPECT_EQ(hello.version, 0x0304);
}

TEST(Tls, each_begin_of_a_client_hello_needs_more) {
  ClientHello hello;
  expect_more_for_each_begin(read_hex(kData + "tls13_client.hex"),
                             [&](Bytes begin) { return parse_client_hello(begin, hello); });
}

TEST(Tls, a_client_hello_may_be_cut_into_records) {
  const Buffer whole = read_hex(kData + "tls12_client.hex");
  const Bytes message = Bytes{whole}.substr(5);
  Buffer cut;
  for (std::size_t at = 0; at < message.size(); at += 50) {
    const Bytes part = message.substr(at, 50);
    cut += Buffer{"\x16\x03\x01\x00", 4} + static_cast<char>(part.size());
    cut += part;
  }
  ClientHello hello;
  ASSERT_EQ(parse_client_hello(cut, hello), Parsed::yes);
  EXPECT_EQ(hello.server_name, "chat.example.org");
}

TEST(Tls, up_to_1_2_the_certificate_is_in_clear) {
  const Buffer server = read_hex(kData + "tls12_server.hex");
  ServerFlight flight;
  ASSERT_EQ(parse_server_flight(server, flight), Parsed::yes);
  EXPECT_TRUE(flight.certificate_seen);
  EXPECT_THAT(flight.certificate, ElementsAre("chat.example.org", "*.example.org"));
  EXPECT_EQ(flight.alpn, "h2");
  EXPECT_EQ(parse_server_flight(Bytes{server}.substr(0, 300), flight), Parsed::need_more);
}

TEST(Tls, in_1_3_it_is_not) {
  ServerFlight flight;
  ASSERT_EQ(parse_server_flight(read_hex(kData + "tls13_server.hex"), flight), Parsed::yes);
  EXPECT_EQ(flight.version, 0x0304);
  EXPECT_THAT(flight.certificate, IsEmpty());
}

TEST(Tls, any_octet_changed_is_survived) {
  const Buffer client = read_hex(kData + "tls13_client.hex"), server = read_hex(kData + "tls12_server.hex");
  ClientHello hello;
  ServerFlight flight;
  for (std::size_t at = 0; at < client.size(); ++at)
    for (const char octet : {'\0', '\xff', '\x7f'}) {
      Buffer changed = client;
      changed[at] = octet;
      (void)parse_client_hello(changed, hello);
    }
  for (std::size_t at = 0; at < server.size(); ++at) {
    Buffer changed = server;
    changed[at] = static_cast<char>(changed[at] ^ 0x55);
    (void)parse_server_flight(changed, flight);
  }
}

TEST(Tls, other_protocols_are_not_tls) {
  ClientHello hello;
  for (const Bytes other :
       {Bytes{"GET / HTTP/1.1\r\n"}, Bytes{"SSH-2.0-x\r\n"}, Bytes{"\x16\x04\x01\x00\x05xxxxx", 10}})
    EXPECT_EQ(parse_client_hello(other, hello), Parsed::no);
  EXPECT_FALSE(is_tls_records("220 mail.test ESMTP\r\n"));
}

TEST(Tls, records_in_mid_stream_must_follow_each_other) {
  const Buffer record = Buffer{"\x17\x03\x03\x00\x20", 5} + Buffer(32, 'x');
  EXPECT_TRUE(is_tls_records(record));
  EXPECT_TRUE(is_tls_records(record + record));
  EXPECT_FALSE(is_tls_records(record + "GET /"));
  EXPECT_FALSE(is_tls_records(Bytes{record}.substr(0, 20)));
}

TEST(Tls, what_is_not_a_host_name_is_dropped) {
  EXPECT_EQ(normal_host("Web.WhatsApp.com."), "web.whatsapp.com");
  EXPECT_EQ(normal_host("a b"), "");
  EXPECT_EQ(normal_host(Buffer(254, 'a')), "");
  EXPECT_THAT(certificate_names("not a certificate", 8), IsEmpty());
}

}  // namespace
}  // namespace chancery::sensor
