#include "sensor/meta/quic.h"

#include <array>
#include <vector>

#include "sensor/meta/testing.h"

namespace chancery::sensor {
namespace {

const std::string kData = CHANCERY_TESTDATA "/";

TEST(Quic, the_example_of_rfc_9001_is_read) {
  const Buffer datagram = read_hex(kData + "rfc9001_a2.hex");
  const Bytes view = datagram;
  ClientHello hello;
  ASSERT_EQ(parse_quic(std::span{&view, 1}, hello), Parsed::yes);
  EXPECT_EQ(hello.server_name, "example.com");
  EXPECT_EQ(hello.alpn, std::vector<std::string>{"alpn"});
  EXPECT_TRUE(is_quic_long_header(datagram));
}

TEST(Quic, a_hello_may_span_datagrams_in_any_order) {
  const Buffer second = read_hex(kData + "quic_two_datagrams.hex", 0);
  const Buffer first = read_hex(kData + "quic_two_datagrams.hex", 1);
  ClientHello hello;
  const std::array<Bytes, 1> half{Bytes{second}};
  EXPECT_EQ(parse_quic(half, hello), Parsed::need_more);
  const std::array<Bytes, 2> both{Bytes{second}, Bytes{first}};
  ASSERT_EQ(parse_quic(both, hello), Parsed::yes);
  EXPECT_EQ(hello.server_name, "example.com");
}

TEST(Quic, a_packet_that_does_not_authenticate_is_none) {
  const Buffer datagram = read_hex(kData + "rfc9001_a2.hex");
  ClientHello hello;
  for (std::size_t at = 0; at < datagram.size(); at += 7) {
    Buffer changed = datagram;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    const Bytes view = changed;
    EXPECT_NE(parse_quic(std::span{&view, 1}, hello), Parsed::yes) << at;
  }
  for (std::size_t size = 0; size < datagram.size(); size += 3) {
    const Bytes view = Bytes{datagram}.substr(0, size);
    EXPECT_NE(parse_quic(std::span{&view, 1}, hello), Parsed::yes) << size;
  }
}

TEST(Quic, googles_own_handshake_names_the_server_in_clear) {
  const std::string host = "chat.example.org";
  const auto le32_text = [](std::size_t value) { return Buffer{static_cast<char>(value), 0, 0, 0}; };
  Buffer datagram =
      Buffer{
          "\x0d"
          "connecti"} +
      "Q043" + '\1' + Buffer(12, 'h') + Buffer{"\xa0\1\0\4\0", 5};
  datagram +=
      Buffer{"CHLO\2\0\0\0", 8} + Buffer{"PAD\0", 4} + le32_text(3) + Buffer{"SNI\0", 4} + le32_text(3 + host.size());
  datagram += "---" + host + Buffer(300, '\0');
  const Bytes view = datagram;
  ClientHello hello;
  ASSERT_EQ(parse_quic(std::span{&view, 1}, hello), Parsed::yes);
  EXPECT_EQ(hello.server_name, host);
}

TEST(Quic, other_datagrams_are_not_quic) {
  ClientHello hello;
  for (const Buffer& other : {Buffer(1200, '\0'), Buffer(1200, '\xff'), Buffer{"d1:ad2:id20:"}, Buffer{}}) {
    const Bytes view = other;
    EXPECT_NE(parse_quic(std::span{&view, 1}, hello), Parsed::yes);
    EXPECT_FALSE(is_quic_long_header(other));
  }
}

}  // namespace
}  // namespace chancery::sensor
