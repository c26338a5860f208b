#include "sensor/meta/http.h"

#include "sensor/meta/stun.h"
#include "sensor/meta/testing.h"
#include "sensor/meta/tunnel.h"

namespace chancery::sensor {
namespace {

using namespace std::string_literals;

constexpr Bytes kRequest =
    "POST /http-bind HTTP/1.1\r\nhost:  Chat.Example.org:5280 \r\nUser-Agent: x/1\r\nX-GNUTELLA-y: 1\r\n\r\nbody";

TEST(Http, the_head_of_a_request) {
  HttpHead head;
  ASSERT_EQ(parse_http(kRequest, head), Parsed::yes);
  EXPECT_TRUE(head.request);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/http-bind");
  EXPECT_EQ(http_host(head), "chat.example.org");
  EXPECT_EQ(head.user_agent, "x/1");
  EXPECT_TRUE(head.gnutella);
  EXPECT_TRUE(head.complete);
  EXPECT_EQ(kRequest.substr(head.size), "body");
}

TEST(Http, no_begin_of_it_is_refused) {
  HttpHead head;
  for (std::size_t size = 0; size < kRequest.size(); ++size)
    ASSERT_NE(parse_http(kRequest.substr(0, size), head), Parsed::no) << size;
  ASSERT_EQ(parse_http(kRequest.substr(0, 50), head), Parsed::yes);
  EXPECT_FALSE(head.complete);
}

TEST(Http, the_host_of_a_proxy_request_is_in_its_target) {
  HttpHead head;
  ASSERT_EQ(parse_http("GET http://gateway.messenger.hotmail.com/x HTTP/1.1\r\nHost: proxy\r\n\r\n", head),
            Parsed::yes);
  EXPECT_EQ(http_host(head), "gateway.messenger.hotmail.com");
  ASSERT_EQ(parse_http("CONNECT talk.example:443 HTTP/1.0\r\n\r\n", head), Parsed::yes);
  EXPECT_EQ(http_host(head), "talk.example");
  ASSERT_EQ(parse_http("GET / HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n", head), Parsed::yes);
  EXPECT_EQ(http_host(head), "");
}

TEST(Http, neighbours_are_not_http) {
  HttpHead head;
  for (const Bytes other : {"SIP/2.0 200 OK\r\n", "OPTIONS rtsp://x RTSP/1.0\r\n", "220 mail ESMTP\r\n",
                            "NICK alice\r\n", "PRIVMSG #a :x\r\n", "$Lock x|\n"})
    EXPECT_EQ(parse_http(other, head), Parsed::no) << other;
}

TEST(WebSocket, frames) {
  WebSocketFrame frame;
  ASSERT_EQ(parse_websocket_frame("\x81\x85maskHELLO", frame), Parsed::yes);
  EXPECT_TRUE(frame.masked);
  EXPECT_EQ(frame.payload_size, 5U);
  EXPECT_EQ(frame.head_size, 6U);
  EXPECT_EQ(parse_websocket_frame("\x81", frame), Parsed::need_more);
  EXPECT_EQ(parse_websocket_frame("\x83\x01", frame), Parsed::no) << "opcode 3 is reserved";
  EXPECT_EQ(parse_websocket_frame("\x09\x01", frame), Parsed::no) << "a control frame in parts";
  EXPECT_EQ(parse_websocket_frame("\x81\x7e\x00\x05"s, frame), Parsed::no) << "not the shortest form";
}

const Buffer kStun = Buffer{"\x00\x01\x00\x14\x21\x12\xa4\x42", 8} + "transaction1" + Buffer{"\x00\x14\x00\x0c", 4} +
                     "telegram.org" + Buffer{"\x40\x02\x00\x00", 4};

TEST(Stun, attributes_and_realm) {
  const auto message = parse_stun(kStun);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->realm, "telegram.org");
  EXPECT_TRUE(message->has(0x4002));
  EXPECT_FALSE(message->has(0x4003));
  for (std::size_t size = 0; size < kStun.size(); ++size) EXPECT_FALSE(parse_stun(Bytes{kStun}.substr(0, size)));
}

TEST(Stun, a_peers_address_is_unmasked) {  // RFC 5769 §2.2: 192.0.2.1 port 32853
  const Buffer peer = Buffer{"\x00\x08\x00\x0c\x21\x12\xa4\x42", 8} + "transaction1" +
                      Buffer{"\x00\x12\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43", 12};
  const auto message = parse_stun(peer);
  ASSERT_TRUE(message && message->peer);
  EXPECT_EQ(message->peer->text(), "192.0.2.1:32853");
}

TEST(Stun, on_streams_with_and_without_a_length) {
  EXPECT_TRUE(parse_stun_stream(kStun + "more"));
  EXPECT_TRUE(parse_stun_stream(Buffer{"\x00\x28", 2} + kStun));
  EXPECT_FALSE(parse_stun_stream("GET / HTTP/1.1\r\n\r\n"));
}

TEST(Tunnel, socks_5_with_a_name) {
  const Buffer client = "\5\1\0"s + "\5\1\0\3\x0b"s + "example.org" + "\x14\x66"s + "inner";
  const Buffer server = "\5\0"s + "\5\0\0\1"s + "\0\0\0\0\0\0"s + "answer";
  const auto tunnel = find_tunnel(client, server);
  ASSERT_TRUE(tunnel);
  EXPECT_EQ(tunnel->host, "example.org");
  EXPECT_EQ(Bytes{client}.substr(tunnel->client_begin), "inner");
  EXPECT_EQ(Bytes{server}.substr(tunnel->server_begin), "answer");
  for (std::size_t size = 0; size + 5 < client.size(); ++size)
    EXPECT_FALSE(find_tunnel(Bytes{client}.substr(0, size), server)) << size;
}

TEST(Tunnel, socks_4a_and_connect) {
  const auto socks = find_tunnel("\4\1\x14\x66\0\0\0\1me\0a.test\0inner"s, "\0\x5a\0\0\0\0\0\0"s);
  ASSERT_TRUE(socks);
  EXPECT_EQ(socks->host, "a.test");
  const auto connect = find_tunnel("CONNECT a.test:5222 HTTP/1.1\r\n\r\n<stream", "HTTP/1.1 200 OK\r\n\r\n<?xml");
  ASSERT_TRUE(connect);
  EXPECT_EQ(connect->host, "a.test");
  EXPECT_FALSE(find_tunnel("CONNECT a.test:5222 HTTP/1.1\r\n\r\n", "HTTP/1.1 403 No\r\n\r\n"));
}

TEST(Tunnel, starttls) {
  const Buffer mail = "EHLO x\r\nSTARTTLS\r\n\x16\x03\x01\x00\xa5\x01"s;
  const auto at = find_starttls(mail);
  ASSERT_TRUE(at);
  EXPECT_EQ(*at, mail.size() - 6);
  EXPECT_FALSE(find_starttls("EHLO x\r\nDATA\r\n\x16\x03\x01\x00\xa5\x01"s));
}

}  // namespace
}  // namespace chancery::sensor
