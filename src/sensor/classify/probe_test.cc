// Each probe: what it knows, that it says nothing to a begin that is too short, and what it must not take for its own.
#include "sensor/classify/probe.h"

#include <gtest/gtest.h>
#include <random>

#include "sensor/classify/testing.h"
#include "sensor/meta/digest.h"

namespace chancery::sensor {
namespace {

using namespace std::string_literals;

std::string le32_text(std::uint32_t value) {
  std::string text;
  for (int i = 0; i < 4; ++i) text += static_cast<char>(value >> (8 * i));
  return text;
}
std::string be32_text(std::uint32_t value) {
  const std::string text = le32_text(value);
  return {text.rbegin(), text.rend()};
}
std::string noise(std::size_t size, unsigned seed) {
  std::mt19937 engine(seed);
  std::string octets(size, '\0');
  for (char& octet : octets) octet = static_cast<char>(engine());
  return octets;
}

struct Case {
  std::string application;
  std::string client, server;
  std::size_t telling = 0;  // so many octets of the client are the least that tells; 0: not tried
  bool midstream = false;
};

std::string threema_frames(std::initializer_list<std::size_t> sizes) {
  std::string frames;
  for (const std::size_t size : sizes)
    frames += std::string{static_cast<char>(size & 0xff), static_cast<char>(size >> 8)} + noise(size, 7);
  return frames;
}
std::string viber_frames(unsigned first) {
  std::string frames;
  for (unsigned i = 0; i < 5; ++i)
    frames += std::string{static_cast<char>(40 + i), 0, static_cast<char>(first + i), 0, 0, 0} + noise(34 + i, i);
  return frames;
}
// A header that deciphers to the intermediate transport, made as a client makes it.
std::string mtproto_obfuscated() {
  std::string init = noise(64, 3);
  const Buffer clear = aes_256_ctr(Bytes{init}.substr(8, 32), Bytes{init}.substr(40, 16), init);
  for (std::size_t i = 56; i < 60; ++i) init[i] = static_cast<char>(init[i] ^ clear[i] ^ '\xee');
  return init;
}
std::string mtproto_question() {
  return std::string(8, '\0') + noise(8, 1) + le32_text(20) + le32_text(0xbe7e8ef1) + noise(16, 2);
}
std::string descriptor(char kind, const std::string& body) {
  return noise(16, 5) + kind + "\3\1"s + le32_text(static_cast<std::uint32_t>(body.size())) + body;
}
std::string soulseek_login() {
  const auto text = [](const std::string& value) {
    return le32_text(static_cast<std::uint32_t>(value.size())) + value;
  };
  const std::string body =
      le32_text(1) + text("alice") + text("x") + le32_text(160) + text(std::string(32, 'a')) + le32_text(1);
  return le32_text(static_cast<std::uint32_t>(body.size())) + body;
}
std::string edonkey_hello() {
  const std::string body = "\x01\x10"s + noise(16, 4) + noise(6, 5) + le32_text(1) + "\2\1\0\1\2\0ab"s + noise(6, 6);
  return "\xe3"s + le32_text(static_cast<std::uint32_t>(body.size())) + body;
}

std::vector<Case> streams() {
  const std::string request = be32_text(13) + "\6"s + std::string(12, '\1');
  return {
      {"WhatsApp", "WA\6\3\0\0\x24"s + noise(36, 1), "", 8},
      {"WhatsApp", "ED\0\1\0\0\4rout"s + "WA\5\2\0\0\x24"s + noise(36, 1), "", 19},
      {"Telegram", mtproto_obfuscated(), "", 64},
      {"Telegram", "\xef\x0a"s + mtproto_question(), "", 42},
      {"Telegram", "\xee\xee\xee\xee"s + le32_text(40) + mtproto_question(), "", 42},
      {"Threema", noise(48 + 144 + 47, 1) + threema_frames({442}), noise(80 + 32, 2) + threema_frames({20, 36}), 0},
      {"Viber", viber_frames(10), "", 0},
      {"Viber", "\x18\0\0\0\0\0\xfc\xff\5\x80\x09"s + std::string(13, '\0'), "", 24},
      {"KakaoTalk", "\0\1\0\0\5\0\0\0\2\0\0\0"s + noise(256, 1), "", 22},
      {"KakaoTalk", le32_text(7) + "\0\0CHECKIN\0\0\0\0\0"s + le32_text(90) + noise(90, 1), "", 22},
      {"WeChat", "\x16\xf1\4\0\x40"s + noise(64, 1), "", 16},
      {"WeChat", be32_text(16) + "\0\x10\0\1"s + be32_text(6) + be32_text(1), "", 16},
      {"BitTorrent",
       "\x13"
       "BitTorrent protocol"s +
           noise(48, 1),
       "", 20},
      {"BitTorrent", request + request + request + request, "", 56, true},
      {"Gnutella", "GNUTELLA CONNECT/0.6\r\nUser-Agent: x\r\n\r\n", "", 19},
      {"Gnutella", "GIV 2:" + std::string(32, 'A') + "/a.ogg\n\n", "", 39},
      {"Gnutella", descriptor('\0', "") + descriptor('\1', noise(14, 1)) + descriptor('\x80', noise(9, 2)), "", 0},
      {"eDonkey", edonkey_hello(), "", 34},
      {"FastTrack", "GET /.hash=0123456789abcdef HTTP/1.1\r\n", "", 11},
      {"FastTrack", "GIVE 12345\r\n", "", 11},
      {"DirectConnect", "", "$Lock EXTENDEDPROTOCOLABCABC Pk=x|", 0},
      {"DirectConnect", "HSUP ADBASE ADTIGR\n", "", 19},
      {"Ares", "\3\0\x5a\4\3\5"s, "\x20\0\x33"s + noise(32, 1), 6},
      {"Soulseek", soulseek_login(), "", soulseek_login().size() - 4},
      {"Manolito", "SIZ 12", "STR 34", 4},
  };
}

TEST(StreamProbe, knows_its_own) {
  for (const Case& each : streams()) {
    Begin begin = Begin::stream(each.client, each.server, each.midstream);
    const auto finding = ask_all(begin.flow());
    ASSERT_TRUE(finding) << each.application << ": " << Bytes{each.client}.substr(0, 20);
    EXPECT_EQ(finding->application, each.application);
    EXPECT_FALSE(finding->evidence.empty());
  }
}

TEST(StreamProbe, says_nothing_before_it_has_seen_enough_and_never_another_name) {
  for (const Case& each : streams()) {
    for (std::size_t size = 0; size < each.client.size(); ++size) {
      Begin begin = Begin::stream(each.client.substr(0, size), each.server, each.midstream);
      const auto finding = ask_all(begin.flow());
      const bool too_short = each.telling != 0 && size < each.telling;
      ASSERT_FALSE(finding && too_short) << each.application << " at " << size;
      ASSERT_EQ(finding ? finding->application : each.application, each.application) << size;
    }
  }
}

std::string stun(std::uint16_t type, std::uint16_t attribute, const std::string& value) {
  const std::string body =
      be32_text(static_cast<std::uint32_t>(attribute) << 16 | static_cast<std::uint32_t>(value.size())) + value +
      std::string((4 - value.size() % 4) % 4, '\0');
  return be32_text(static_cast<std::uint32_t>(type) << 16 | static_cast<std::uint32_t>(body.size())) +
         "\x21\x12\xa4\x42"s + noise(12, 9) + body;
}

struct DatagramCase {
  std::string application;
  std::vector<std::pair<Side, std::string>> datagrams;
};

std::vector<DatagramCase> datagrams() {
  constexpr Side kClient = Side::client, kServer = Side::server;
  const std::string tag = noise(16, 1), ff(12, '\xff'), mark = noise(8, 2);
  const std::string line = "\xdb\x64\0\xb9\6\2"s;
  const std::string qq = "\2\x3b\x0b\0\1\0\x17\x56\x1f\x0c\x7b"s + noise(24, 1) + "\3"s;
  const std::string utp_syn =
      "\x41\0\x53\2"s + noise(4, 3) + std::string(4, '\0') + be32_text(0x100000) + "\x00\x01\0\0"s;
  const std::string utp_state = "\x21\0\x53\2"s + noise(4, 4) + noise(4, 5) + be32_text(0x100000) + "\xaa\xbb\0\1"s;
  const std::string kad = "\xe4\x21\2"s + noise(32, 6);
  return {
      {"Telegram", {{kClient, tag + ff + "\xfe\xff\xff\xff" + noise(8, 3)}}},
      {"Telegram", {{kClient, stun(3, 0x0014, "telegram.org")}}},
      {"WhatsApp", {{kClient, stun(3, 0x4000, noise(40, 1))}}},
      {"WhatsApp", {{kClient, stun(0x0800, 0x0006, "abcd")}}},
      {"Skype_Teams", {{kClient, stun(1, 0x8070, be32_text(3))}}},
      {"Signal", {{kServer, stun(0x0113, 0x0014, "turn.signal.org")}}},
      {"Discord", {{kClient, "\x13\x37\xca\xfe\x0e\0\0\0"s}}},
      {"Discord", {{kClient, "\0\1\0\x46"s + noise(4, 1) + std::string(66, '\0')}}},
      {"LINE",
       {{kClient, line + noise(150, 1)},
        {kServer, "\xd8\xee\0\x66\6\2"s + noise(18, 1) + std::string(32, '\0') + noise(60, 2)}}},
      {"QQ", {{kClient, qq}, {kClient, qq}}},
      {"Viber",
       {{kClient, "\xed\xf6\x09\0"s + mark + noise(8, 3)}, {kServer, "\xed\xf6\x0b\0"s + mark + noise(22, 4)}}},
      {"IMO", {{kServer, "\0\x09\3\x21\x9a\2\0\0\0\0\0"s}, {kClient, "\x09\2\xdc\x9a\2\0\0\0\0\0"s}}},
      {"TeamSpeak", {{kClient, "TS3INIT1"s + noise(26, 1)}}},
      {"Mumble", {{kClient, "\0\0\0\0"s + mark}, {kServer, "\0\1\2\3"s + mark + noise(12, 1)}}},
      {"BitTorrent", {{kClient, "d1:ad2:id20:" + std::string(20, 'x') + "e1:q4:ping1:t2:aa1:y1:qe"}}},
      {"BitTorrent", {{kClient, "\0\0\x04\x17\x27\x10\x19\x80\0\0\0\0"s + noise(4, 1)}}},
      {"BitTorrent", {{kClient, utp_syn}, {kServer, utp_state}}},
      {"BitTorrent", {{kClient, "BT-SEARCH * HTTP/1.1\r\n"}}},
      {"Gnutella", {{kClient, descriptor('\0', "")}}},
      {"Gnutella", {{kClient, "GND\2\0\1\1\1xxxx"s}}},
      {"eDonkey", {{kClient, kad}, {kServer, "\xe4\x29"s + kad.substr(3, 16) + "\0"s}}},
      {"eDonkey", {{kClient, "\xe3\x96\x34\x12\xaa\x55"s}}},
      {"FastTrack", {{kClient, "\x27\0\0\0\xa9\x80KaZaA\0"s}}},
      {"DirectConnect",
       {{kClient,
         "$SR alice a\\b.ogg\5"
         "12 1/2\5TTH:x (h:1)|"}}},
  };
}

TEST(DatagramProbe, knows_its_own) {
  for (const DatagramCase& each : datagrams()) {
    Begin begin = Begin::datagrams(each.datagrams);
    const auto finding = ask_all(begin.flow());
    ASSERT_TRUE(finding) << each.application;
    EXPECT_EQ(finding->application, each.application);
  }
}

TEST(DatagramProbe, a_cut_datagram_is_never_named_otherwise) {
  for (const DatagramCase& each : datagrams())
    for (std::size_t size = 0; size < each.datagrams[0].second.size(); ++size) {
      auto cut = each.datagrams;
      cut[0].second.resize(size);
      Begin begin = Begin::datagrams(cut);
      const auto finding = ask_all(begin.flow());
      ASSERT_EQ(finding ? finding->application : each.application, each.application) << size;
    }
}

TEST(StreamProbe, leaves_other_protocols_alone) {
  const std::string smb = "\0\0\0\x45\xffSMB\x72"s + noise(60, 1), tls = "\x17\3\3\0\x40"s + noise(64, 2);
  const std::vector<std::pair<std::string, std::string>> others{
      {"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"},
      {"SSH-2.0-OpenSSH_9.2\r\n" + noise(300, 1), "SSH-2.0-OpenSSH_9.2\r\n" + noise(300, 2)},
      {"EHLO a.test\r\nMAIL FROM:<a@a.test>\r\n", "220 mail.test ESMTP\r\n250 ok\r\n"},
      {"USER anonymous\r\nPASS x@y\r\n", "220 ftp\r\n331 more\r\n"},
      {"cap multigraph\nlist\n", "# munin node at a\n"},
      {"PING 123\r\n", "PONG 123\r\n"},
      {"REGISTER x\r\n", ""},
      {smb, smb},
      {tls, tls},
      {std::string(400, '\0'), std::string(400, '\0')},
      {std::string(400, '\xff'), std::string(400, '\xff')},
      {"\0\0\0\x08\x04\xd2\x16\x2f"s, "S"},                       // PostgreSQL
      {"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\1\0\x08\0\3\0\0\0"s, ""},  // RDP
      {"*1\r\n$4\r\nPING\r\n", "+PONG\r\n"},                      // Redis
  };
  for (const auto& [client, server] : others)
    for (const bool midstream : {false, true}) {
      Begin begin = Begin::stream(client, server, midstream);
      const auto finding = ask_all(begin.flow());
      EXPECT_FALSE(finding) << Bytes{client}.substr(0, 20) << " taken for " << finding->application;
    }
}

// What a store or a queue is given may be lines of chat; joined midway it cannot be told from them.
TEST(StreamProbe, words_inside_another_protocol_are_its_content) {
  for (const std::string& client :
       {"*3\r\n$7\r\nPUBLISH\r\n$4\r\n#tea\r\n$19\r\nPRIVMSG #tea :hello\r\n"s,
        "set x 0 0 19\r\nPRIVMSG #tea :hello\r\n"s,
        "*3\r\n$5\r\nLPUSH\r\n$3\r\ntea\r\n$43\r\n<message to='a@b'><body>x</body></message>\r\n"s})
    EXPECT_FALSE(ask_all(Begin::stream(client, "+OK\r\n").flow())) << client;
}

TEST(DatagramProbe, leaves_other_protocols_alone) {
  constexpr Side kClient = Side::client, kServer = Side::server;
  const std::string dns = "\x12\x34\1\0\0\1\0\0\0\0\0\0\1a\4test\0\0\1\0\1"s;
  const std::string rtp = "\x80\0\0\1\0\0\0\xa0"s + noise(4, 1) + std::string(160, '\xff');  // silence
  const std::string ntp = "\x23"s + std::string(47, '\0');
  const std::string snmp = "\x30\x26\2\1\1\4\6public\xa0\x19\2\1\1\2\1\0\2\1\0\x30\x0e"s + noise(14, 1);
  const std::vector<std::vector<std::pair<Side, std::string>>> others{
      {{kClient, dns}, {kServer, dns}},
      {{kClient, rtp}, {kServer, rtp}, {kClient, rtp}, {kServer, rtp}},
      {{kClient, ntp}, {kServer, ntp}},
      {{kClient, snmp}, {kServer, snmp}},
      {{kClient, "X"}, {kClient, "X"}, {kClient, "X"}, {kClient, "X"}},  // padded syslog
      {{kClient, "<34>1 2026-01-01T00:00:00Z a b - - x"}},
      {{kClient, std::string(40, '\xff')}, {kServer, std::string(64, '\xff')}},
      {{kClient, std::string(74, '\0')}, {kServer, std::string(74, '\0')}},
      {{kClient, stun(1, 0x0006, "a:b")}, {kServer, stun(0x101, 0x0020, noise(8, 1))}},
      {{kClient, "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n"}},
  };
  for (const auto& each : others) {
    Begin begin = Begin::datagrams(each);
    const auto finding = ask_all(begin.flow());
    EXPECT_FALSE(finding) << Bytes{each[0].second}.substr(0, 20) << " taken for " << finding->application;
  }
}

// A million flows of random octets: none is named. (docs/guide/sensor-classification.md gives this figure.)
TEST(Probes, random_octets_are_nothing) {
  constexpr int kFlows = 500'000;
  std::mt19937_64 engine(20260101);
  std::vector<std::uint64_t> pool(1 << 16);
  for (std::uint64_t& word : pool) word = engine();
  const Bytes octets{reinterpret_cast<const char*>(pool.data()), pool.size() * sizeof(std::uint64_t)};
  const auto some = [&](std::size_t size) { return octets.substr(engine() % (octets.size() - size), size); };
  FlowStart stream, datagrams;
  stream.server.port = datagrams.server.port = 443;
  datagrams.transport = Transport::udp;
  std::vector<Datagram> views(3);
  int named = 0;
  for (int i = 0; i < kFlows; ++i) {
    stream.client_octets = some(24 + engine() % 300);
    stream.server_octets = some(engine() % 300);
    stream.midstream = i % 2 == 0;
    for (std::size_t n = 0; n < views.size(); ++n) {
      views[n].from = n % 2 == 0 ? Side::client : Side::server;
      views[n].octets = some(8 + engine() % 120);
    }
    datagrams.datagrams = views;
    for (const FlowStart* flow : {&stream, &datagrams})
      if (const auto finding = ask_all(*flow)) {
        ++named;
        ADD_FAILURE() << finding->application << ": " << finding->evidence;
      }
  }
  EXPECT_EQ(named, 0);
}

}  // namespace
}  // namespace chancery::sensor
