#include "sensor/testing/samples.h"

#include <algorithm>

namespace chancery::sensor::testing {
namespace {

const Instant kBegin = from_unix_ns(1'700'000'000'000'000'000);

std::vector<OwnFrame> in_order(std::vector<OwnFrame> frames) {
  std::ranges::stable_sort(frames, {}, &OwnFrame::time);
  return frames;
}

std::vector<OwnFrame> joined(const std::vector<const Talk*>& talks) {
  std::vector<OwnFrame> all;
  for (const Talk* talk : talks) all.insert(all.end(), talk->frames().begin(), talk->frames().end());
  return in_order(std::move(all));
}

Sample irc() {
  Talk anna{endpoint("192.0.2.1:40001"), endpoint("198.51.100.1:6667"), kBegin};
  Talk bjorn{endpoint("192.0.2.2:40002"), endpoint("198.51.100.1:6667"), kBegin + std::chrono::microseconds{300}};
  anna.handshake().say_client("NICK anna\r\nUSER anna 0 * :Anna\r\n").say_server(":irc.example 001 anna :Welcome\r\n");
  bjorn.handshake().say_client("NICK bjorn\r\nUSER bjorn 0 * :B\r\n").say_server(":irc.example 001 bjorn :Welcome\r\n");
  anna.wait(std::chrono::milliseconds{100}).say_client("JOIN #tea\r\n").say_server(":anna!a@h JOIN #tea\r\n");
  bjorn.wait(std::chrono::milliseconds{150}).say_client("JOIN #tea\r\n").say_server(":bjorn!b@h JOIN #tea\r\n");
  anna.wait(std::chrono::milliseconds{200}).say_client("PRIVMSG #tea :hello everyone\r\n");
  bjorn.wait(std::chrono::milliseconds{160}).say_server(":anna!a@h PRIVMSG #tea :hello everyone\r\n");
  bjorn.wait(std::chrono::milliseconds{100}).say_client("PRIVMSG anna :just you\r\n");
  anna.wait(std::chrono::milliseconds{200}).say_server(":bjorn!b@h PRIVMSG anna :just you\r\n");
  return {
      "irc",
      joined({&anna, &bjorn}),
      {"anna>#tea: hello everyone", "anna>#tea: hello everyone =0", "bjorn>anna: just you", "bjorn>anna: just you =2"},
      {"IRC"}};
}

Sample xmpp_joined_midway() {
  Talk talk{endpoint("[2001:db8::1]:40001"), endpoint("[2001:db8::2]:5222"), kBegin};
  talk.say_client("<presence/><message to='bjorn@im.example' type='chat'><body>are you there?</body></message>");
  talk.say_server(
      "<message from='bjorn@im.example/x' to='anna@im.example/y' type='chat'><body>yes &amp; no</body></message>");
  talk.say_client("<message to='bjorn@im.example' type='chat'><body>good</body></message>");
  return {"xmpp-midway",
          talk.frames(),
          {">bjorn@im.example: are you there?", "bjorn@im.example>anna@im.example: yes & no",
           "anna@im.example>bjorn@im.example: good"},
          {"Jabber"}};
}

// Small segments, each a fragment or two, through a mirror's GRE tunnel.
Sample mirrored() {
  Talk talk{endpoint("192.0.2.1:40001"), endpoint("198.51.100.1:6667"), kBegin};
  talk.handshake().say(Side::client, "NICK anna\r\nUSER anna 0 * :Anna\r\n", 9);
  talk.say_server(":irc.example 001 anna :Welcome to the network\r\n");
  talk.say(Side::client, "PRIVMSG bjorn :" + std::string(300, 'x') + "\r\n", 100);
  const Address from = endpoint("10.0.0.1:0").address, to = endpoint("10.0.0.2:0").address;
  std::vector<OwnFrame> frames;
  std::uint16_t identification = 1;
  for (const OwnFrame& frame : talk.frames()) {
    const Buffer inner = Buffer{"\x10\0\x88\xbe\0\0\0\1\x10\1\0\1\0\0\0\0", 16} + frame.octets;
    for (const Buffer& piece : ip_fragments(from, to, 47, inner, 96, identification))
      frames.push_back({ethernet_ip(piece), frame.time});
    ++identification;
  }
  return {"mirrored", std::move(frames), {"anna>bjorn: " + std::string(300, 'x')}, {"IRC"}};
}

Sample web() {
  Talk talk{endpoint("192.0.2.1:40001"), endpoint("198.51.100.7:80"), kBegin};
  talk.handshake().say_client(
      "GET /chat HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  talk.say_server(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  talk.say_server(Buffer{"\x81\x07welcome", 9}).say_client(Buffer{"\x81\x85\0\0\0\0hello", 11});
  return {"websocket", talk.frames(), {">: welcome", ">: hello"}, {}};
}

}  // namespace

std::vector<Sample> samples() { return {irc(), xmpp_joined_midway(), mirrored(), web()}; }

}  // namespace chancery::sensor::testing
