#include "sensor/packet/decap.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>

#include "sensor/testing/packet_writer.h"

namespace chancery::sensor {
namespace {

using namespace testing;

constexpr std::string_view kText = "octets of a message, long enough to be cut into fragments";

class DecapTest : public ::testing::Test {
 protected:
  bool read(Bytes octets, std::uint32_t link_type = 1, std::uint32_t wire_length = 0) {
    last_.assign(octets);
    return decap_.read(
        {last_, wire_length == 0 ? static_cast<std::uint32_t>(octets.size()) : wire_length, link_type, now_}, packet_);
  }
  void expect_text(Bytes octets, std::uint32_t link_type = 1) {
    ASSERT_TRUE(read(octets, link_type));
    EXPECT_EQ(packet_.payload, kText);
    EXPECT_EQ(packet_.source, client_);
    EXPECT_EQ(packet_.destination, server_);
    EXPECT_EQ(packet_.missing, 0U);
  }

  Endpoint client_ = endpoint("192.0.2.1:40000"), server_ = endpoint("198.51.100.2:5222");
  Buffer segment_ = tcp_segment(client_, server_, {7, 9, 500, TcpHeader::kAck}, kText);
  Buffer ip_ = ip_packet(client_.address, server_.address, 6, segment_);
  SkipCounts skipped_;
  Decapsulator decap_{skipped_};
  Packet packet_;
  Buffer last_;
  Instant now_ = from_unix_ns(1'000'000'000);
};

TEST_F(DecapTest, EthernetVlanAndQinq) {
  expect_text(ethernet_ip(ip_));
  const Buffer tagged = Buffer{"\0\x05\x08\0", 4} + ip_;
  expect_text(ethernet(0x8100, tagged));
  expect_text(ethernet(0x88a8, Buffer{"\0\x07\x81\0", 4} + tagged));
  EXPECT_EQ(packet_.tcp.sequence, 7U);
  EXPECT_EQ(packet_.tcp.acknowledgement, 9U);
  EXPECT_TRUE(packet_.tcp.has(TcpHeader::kAck));
  EXPECT_EQ(packet_.ip, ip_);
}

TEST_F(DecapTest, PaddingOfShortFramesIsNoPayload) { expect_text(ethernet_ip(ip_) + Buffer(6, '\0')); }

TEST_F(DecapTest, OtherLinkTypes) {
  expect_text(ip_, 101);
  expect_text(ip_, 12);
  expect_text(ip_, 228);
  expect_text(Buffer{"\x02\0\0\0", 4} + ip_, 0);
  expect_text(Buffer{"\0\0\0\x02", 4} + ip_, 108);
  expect_text(Buffer{"\0\0\0\1\0\6\1\2\3\4\5\6\0\0\x08\0", 16} + ip_, 113);
  expect_text(Buffer{"\x08\0\0\0\0\0\0\1\0\1\0\6\1\2\3\4\5\6\0\0", 20} + ip_, 276);
  expect_text(Buffer{"\xff\x03\0\x21", 4} + ip_, 9);
  expect_text(Buffer{"\x21", 1} + ip_, 9);
}

TEST_F(DecapTest, PppoeAndMpls) {
  expect_text(ethernet(0x8864, Buffer{"\x11\0\0\1\0\0\0\x21", 8} + ip_));
  expect_text(ethernet(0x8847, Buffer{"\0\1\0\x40\0\2\1\x40", 8} + ip_));
  expect_text(ethernet(0x8847, Buffer{"\0\1\1\x40\0\0\0\0", 8} + ethernet_ip(ip_)));  // with a control word
}

TEST_F(DecapTest, Ipv6WithExtensionHeaders) {
  client_ = endpoint("[2001:db8::1]:40000");
  server_ = endpoint("[2001:db8::2]:5222");
  segment_ = tcp_segment(client_, server_, {7, 9, 500, TcpHeader::kAck}, kText);
  expect_text(ethernet_ip(ip_packet(client_.address, server_.address, 6, segment_)));
  const Buffer hop{"\x3c\0\0\0\0\0\0\0", 8}, destination{"\x06\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16};
  expect_text(ethernet_ip(ip_packet(client_.address, server_.address, 0, hop + destination + segment_)));
}

TEST_F(DecapTest, MirrorsOfAllKinds) {
  const Address from = endpoint("10.0.0.1:0").address, to = endpoint("10.0.0.2:0").address;
  const Buffer frame = ethernet_ip(ip_);
  const auto gre = [&](Bytes header, Bytes rest) {
    return ethernet_ip(ip_packet(from, to, 47, Buffer{header}.append(rest)));
  };
  expect_text(gre(Bytes{"\0\0\x08\0", 4}, ip_));
  expect_text(gre(Bytes{"\xb0\0\x65\x58\0\0\0\0\0\0\0\1\0\0\0\2", 16}, frame));  // checksum, key and sequence
  expect_text(gre(Bytes{"\0\0\x88\xbe", 4}, frame));                             // ERSPAN I
  expect_text(gre(Bytes{"\x10\0\x88\xbe\0\0\0\1\x10\1\0\1\0\0\0\0", 16}, frame));
  expect_text(gre(Bytes{"\x10\0\x22\xeb\0\0\0\1\x20\1\0\1\0\0\0\0\0\0\0\0", 20}, frame));
  expect_text(gre(Bytes{"\x10\0\x22\xeb\0\0\0\1\x20\1\0\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0", 28}, frame));
  const auto udp = [&](std::uint16_t port, Bytes header) {
    const Endpoint a{from, 50'000}, b{to, port};
    return ethernet_ip(ip_packet(from, to, 17, udp_datagram(a, b, Buffer{header} + frame)));
  };
  expect_text(udp(4789, Bytes{"\x08\0\0\0\0\0\7\0", 8}));
  expect_text(udp(6081, Bytes{"\1\0\x65\x58\0\0\7\0\0\0\0\0", 12}));
  expect_text(ethernet_ip(ip_packet(from, to, 4, ip_)));
}

TEST_F(DecapTest, AVxlanPortAloneIsNotBelieved) {
  const Endpoint to{server_.address, 4789};
  const Buffer text = "GET / HTTP/1.1 and more, so that it is long enough";
  ASSERT_TRUE(read(ethernet_ip(ip_packet(client_.address, to.address, 17, udp_datagram(client_, to, text)))));
  EXPECT_EQ(packet_.payload, text);
  EXPECT_EQ(packet_.destination, to);
}

TEST_F(DecapTest, FragmentsInAnyOrder) {
  for (const bool backwards : {false, true}) {
    auto pieces = ip_fragments(client_.address, server_.address, 6, segment_, 24, 99);
    ASSERT_EQ(pieces.size(), 4U);
    if (backwards) std::ranges::reverse(pieces);
    for (std::size_t i = 0; i + 1 < pieces.size(); ++i) EXPECT_FALSE(read(ethernet_ip(pieces[i])));
    expect_text(ethernet_ip(pieces.back()));
    EXPECT_EQ(packet_.ip.size(), ip_.size());
    EXPECT_EQ(packet_.ip.substr(2, 2), Bytes{ip_}.substr(2, 2));
  }
}

TEST_F(DecapTest, Ipv6Fragments) {
  client_ = endpoint("[2001:db8::1]:40000");
  server_ = endpoint("[2001:db8::2]:5222");
  segment_ = tcp_segment(client_, server_, {7, 9, 500, TcpHeader::kAck}, kText);
  const auto pieces = ip_fragments(client_.address, server_.address, 6, segment_, 32, 7);
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i) EXPECT_FALSE(read(ethernet_ip(pieces[i])));
  expect_text(ethernet_ip(pieces.back()));
}

TEST_F(DecapTest, WhatTheSnapLengthCutIsMissing) {
  const Buffer frame = ethernet_ip(ip_);
  ASSERT_TRUE(read(Bytes{frame}.substr(0, frame.size() - 10), 1, static_cast<std::uint32_t>(frame.size())));
  EXPECT_EQ(packet_.payload, kText.substr(0, kText.size() - 10));
  EXPECT_EQ(packet_.missing, 10U);
  EXPECT_FALSE(read(Bytes{frame}.substr(0, 40), 1, static_cast<std::uint32_t>(frame.size())));
  EXPECT_EQ(skipped_.of(Skip::truncated), 1U);
}

TEST_F(DecapTest, APacketThatClaimsMoreThanItsFrameIsSkipped) {
  Buffer frame = ethernet_ip(ip_);
  frame[16] = 0x7f;
  EXPECT_FALSE(read(frame));
  EXPECT_EQ(skipped_.of(Skip::bad_length), 1U);
}

TEST_F(DecapTest, WhatIsNotIpIsCounted) {
  EXPECT_FALSE(read(ethernet(0x0806, Buffer(28, '\0'))));
  EXPECT_EQ(skipped_.of(Skip::not_ip), 1U);
  EXPECT_FALSE(read(ethernet_ip(ip_packet(client_.address, server_.address, 1, "ping"))));
  EXPECT_EQ(skipped_.of(Skip::other_transport), 1U);
  EXPECT_FALSE(read(ip_, 147));
  EXPECT_EQ(skipped_.of(Skip::link_type), 1U);
}

TEST_F(DecapTest, HeadersWithoutEndAreLeft) {
  Buffer deep = ip_;
  for (int i = 0; i < 40; ++i) deep = ip_packet(client_.address, server_.address, 4, deep);
  EXPECT_FALSE(read(ethernet_ip(deep)));
  EXPECT_EQ(skipped_.of(Skip::too_deep), 1U);
  Buffer labels;
  for (int i = 0; i < 400; ++i) labels.append("\0\1\0\x40", 4);
  EXPECT_FALSE(read(ethernet(0x8847, labels)));
  EXPECT_EQ(skipped_.of(Skip::too_deep), 2U);
}

// Every frame above, cut anywhere and with any octet changed, is read or counted, and never more.
TEST_F(DecapTest, DamagedFramesNeverReadBeyondTheirEnd) {
  const Address from = endpoint("10.0.0.1:0").address, to = endpoint("10.0.0.2:0").address;
  const Buffer erspan = ethernet_ip(
      ip_packet(from, to, 47, Buffer{"\x10\0\x22\xeb\0\0\0\1\x20\1\0\1\0\0\0\0\0\0\0\0", 20} + ethernet_ip(ip_)));
  for (std::size_t size = 0; size < erspan.size(); ++size) {
    const std::unique_ptr<char[]> exact{new char[size + 1]};  // so that a sanitizer sees each octet beyond
    std::memcpy(exact.get(), erspan.data(), size);
    (void)decap_.read({{exact.get(), size}, static_cast<std::uint32_t>(size), 1, now_}, packet_);
  }
  for (std::size_t at = 0; at < erspan.size(); ++at)
    for (const int value : {0, 1, 0x7f, 0x80, 0xff}) {
      Buffer changed = erspan;
      changed[at] = static_cast<char>(value);
      (void)read(changed);
    }
}

}  // namespace
}  // namespace chancery::sensor
