// The order of trust, from whole flows.
#include "sensor/classify/decider.h"

#include <gtest/gtest.h>

#include "sensor/classify/testing.h"
#include "sensor/meta/testing.h"

namespace chancery::sensor {
namespace {

using namespace std::string_literals;

std::string meta_testdata() {
  constexpr std::string_view kOwn = "classify/testdata";
  const std::string path = CHANCERY_TESTDATA;
  return path.substr(0, path.size() - kOwn.size()) + "meta/testdata/";
}
const std::string kMeta = meta_testdata();

class DeciderTest : public ::testing::Test {
 protected:
  DeciderTest() {
    EXPECT_EQ(
        hosts_.add("example.org\tExampleTalk\tim\nexample.com\tExampleWeb\tweb-im\n203.0.113.0/24\tNetTalk\tim\n"),
        std::nullopt);
    DeciderOptions options;
    options.hosts = &hosts_;
    decider_ = make_decider(options);
  }
  Opinion ask(Begin begin, bool last_chance = true) {
    const FlowStart& flow = begin.flow();
    const auto notes = decider_->open(flow);
    return decider_->classify(notes.get(), flow, last_chance);
  }
  Named name(Begin begin) {
    Opinion opinion = ask(std::move(begin));
    EXPECT_EQ(opinion.state, Opinion::State::named);
    return std::move(opinion.named);
  }
  // The answer that talk.example.org is at server_end().
  void resolve(const std::string& host = "\4talk\7example\3org\0"s) {
    const std::string question = host + "\0\1\0\1"s;
    const std::string answer =
        "\x12\x34\x81\x80\0\1\0\1\0\0\0\0"s + question + "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc6\x33\x64\x07"s;
    const Named dns = name(Begin::datagrams({{Side::server, answer}}).to({v4("\x0a\1\1\1"), 53}));
    EXPECT_EQ(dns.application, "DNS");
    EXPECT_TRUE(dns.watch);
  }
  Hosts hosts_;
  std::unique_ptr<Classifier> decider_;
};

TEST_F(DeciderTest, tls_is_named_by_its_server_name) {
  const Named named = name(Begin::stream(read_hex(kMeta + "tls12_client.hex")));
  EXPECT_EQ(named.application, "Jabber") << "its ALPN says so, before the host list";
  EXPECT_EQ(named.evidence, "tls alpn: xmpp-client");
  EXPECT_EQ(named.host, "chat.example.org");
  EXPECT_EQ(named.cover, Cover::tls);
}

TEST_F(DeciderTest, quic_likewise) {
  const Named named = name(Begin::datagrams({{Side::client, read_hex(kMeta + "rfc9001_a2.hex")}}));
  EXPECT_EQ(named.application, "ExampleWeb");
  EXPECT_EQ(named.category, Category::web_im);
  EXPECT_EQ(named.evidence, "quic sni: example.com");
  EXPECT_EQ(named.cover, Cover::quic);
}

TEST_F(DeciderTest, a_certificate_names_what_the_hello_does_not) {
  const Named named = name(Begin::stream("", read_hex(kMeta + "tls12_server.hex"), true));
  EXPECT_EQ(named.application, "ExampleTalk");
  EXPECT_EQ(named.evidence, "certificate: chat.example.org");
}

// chat.example.org and *.example.org, of which one is listed.
TEST_F(DeciderTest, a_certificate_that_also_serves_other_names_makes_nobody_a_messenger) {
  Hosts hosts;
  EXPECT_EQ(hosts.add("=chat.example.org\tExampleTalk\tim\ntalk.example.org\tExampleTalk\tim\n"), std::nullopt);
  DeciderOptions options;
  options.hosts = &hosts;
  decider_ = make_decider(options);
  resolve();
  EXPECT_EQ(name(Begin::stream("\x83\x91\xaa\x11 opaque"s)).application, "ExampleTalk");
  const Named named = name(Begin::stream("", read_hex(kMeta + "tls12_server.hex"), true));
  EXPECT_EQ(named.application, "TLS");
  EXPECT_EQ(named.category, Category::other);
  EXPECT_EQ(named.host, "*.example.org");
  decider_.reset();  // before its hosts
}

TEST_F(DeciderTest, a_port_alone_names_nothing) {
  for (const std::uint16_t port :
       {std::uint16_t{5222}, std::uint16_t{1863}, std::uint16_t{5190}, std::uint16_t{6667}, std::uint16_t{6881}}) {
    const Opinion opinion = ask(Begin::stream("\x83\x91\xaa\x11 opaque"s, "\x99\x01\xfe"s).to(server_end(port)));
    EXPECT_NE(opinion.state, Opinion::State::named) << port << ": " << opinion.named.application;
  }
}

TEST_F(DeciderTest, an_address_that_dns_gave_for_a_listed_name_names_later_flows) {
  EXPECT_NE(ask(Begin::stream("\x83\x91\xaa\x11 opaque"s)).state, Opinion::State::named);
  resolve();
  const Named named = name(Begin::stream("\x83\x91\xaa\x11 opaque"s));
  EXPECT_EQ(named.application, "ExampleTalk");
  EXPECT_EQ(named.evidence, "dns: 198.51.100.7 was talk.example.org");
  const Named stun = name(Begin::datagrams({{Side::client, "\0\1\0\0\x21\x12\xa4\x42"s + "transaction1"}}));
  EXPECT_EQ(stun.application, "ExampleTalk");
}

TEST_F(DeciderTest, but_not_when_it_serves_another_name_too) {
  resolve();
  resolve("\7updates\4test\0"s);
  EXPECT_NE(ask(Begin::stream("\x83\x91\xaa\x11 opaque"s)).state, Opinion::State::named);
}

TEST_F(DeciderTest, what_the_payload_says_wins_over_the_address) {
  resolve();
  EXPECT_EQ(name(Begin::stream("\x13"
                               "BitTorrent protocol" +
                               std::string(48, 'x')))
                .application,
            "BitTorrent");
  EXPECT_EQ(name(Begin::stream("GET / HTTP/1.1\r\nHost: www.test\r\n\r\n")).application, "HTTP");
}

TEST_F(DeciderTest, a_p2p_socket_names_what_else_goes_through_it) {
  const Endpoint peer{v4("\xc6\x33\x64\x09"), 51'413};
  const std::string ping = "d1:ad2:id20:" + std::string(20, 'x') + "e1:q4:ping1:t2:aa1:y1:qe";
  EXPECT_EQ(name(Begin::datagrams({{Side::client, ping}}).to(peer)).application, "BitTorrent");
  const Named udp = name(Begin::datagrams({{Side::client, "\x83\x91 opaque"s}}).to({v4("\xc6\x33\x64\x0a"), 6'000}));
  EXPECT_EQ(udp.application, "BitTorrent");
  EXPECT_EQ(udp.evidence, "socket: 10.1.2.3:40000 spoke BitTorrent");
  const Named tcp = name(Begin::stream(std::string(96, '\x5e') + "opaque").from(client_end(50'001)).to(peer));
  EXPECT_EQ(tcp.evidence, "peer: 198.51.100.9:51413 spoke BitTorrent");
}

TEST_F(DeciderTest, a_peer_that_the_dht_announced) {
  const std::string values = "d1:rd2:id20:" + std::string(20, 'x') +
                             "6:valuesl6:\xc6\x33\x64\x0b\xc8\xd5"
                             "ee1:t2:aa1:y1:re";
  EXPECT_TRUE(name(Begin::datagrams({{Side::server, values}})).watch);
  const Named tcp =
      name(Begin::stream(std::string(120, '\x5e')).from(client_end(50'002)).to({v4("\xc6\x33\x64\x0b"), 51'413}));
  EXPECT_EQ(tcp.application, "BitTorrent");
  EXPECT_EQ(tcp.evidence, "peer: 198.51.100.11:51413 was announced as a peer of BitTorrent");
}

// Encrypted handshakes show nothing: who asked a tracker, and whom it answered with, does.
TEST_F(DeciderTest, peers_that_a_tracker_over_http_tells) {
  const std::string request = "GET /announce?info_hash=x&peer_id=y&port=51413&left=0 HTTP/1.1\r\nHost: a.test\r\n\r\n";
  const std::string answer =
      "HTTP/1.1 200 OK\r\nContent-Length: 41\r\n\r\nd8:intervali1e5:peers6:\xc6\x33\x64\x0c\xc8\xd5"
      "e"s;
  EXPECT_EQ(ask(Begin::stream(request, answer.substr(0, answer.size() - 4)), false).state, Opinion::State::undecided);
  EXPECT_EQ(name(Begin::stream(request, answer)).application, "BitTorrent");
  for (const Endpoint& peer : {Endpoint{v4("\xc6\x33\x64\x0c"), 51'413}, Endpoint{client_end().address, 51'413}}) {
    const Named tcp = name(Begin::stream(std::string(300, '\x5e')).from(client_end(50'002)).to(peer));
    EXPECT_EQ(tcp.application, "BitTorrent") << peer.text();
  }
}

TEST_F(DeciderTest, im_inside_http) {
  struct Case {
    std::string request, application, evidence;
  };
  for (const Case& each : std::initializer_list<Case>{
           {"POST /gateway/gateway.dll?Action=open&Server=NS HTTP/1.1\r\nHost: a.test\r\n\r\nVER 1 MSNP9\r\n", "MSN",
            "http path: MSN gateway"},
           {"POST /notify HTTP/1.1\r\nHost: a.test\r\n\r\nYMSG\0\x0c"s, "Yahoo Messenger", "http body: YMSG"},
           {"POST /bosh HTTP/1.1\r\nHost: a.test\r\n\r\n<body rid='1' xmlns='http://jabber.org/protocol/httpbind'/>",
            "Jabber", "http body: BOSH"},
           {"GET /ws HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n", "Jabber",
            "websocket protocol: xmpp"},
           {"GET /_matrix/client/v3/sync HTTP/1.1\r\nHost: a.test\r\n\r\n", "Matrix", "http path: Matrix API"},
           {"GET /announce?info_hash=x&peer_id=y&port=1 HTTP/1.1\r\nHost: a.test\r\n\r\n", "BitTorrent",
            "http path: tracker request"},
           {"GET / HTTP/1.1\r\nHost: talk.example.org\r\n\r\n", "ExampleTalk", "http host: talk.example.org"}}) {
    const Named named = name(Begin::stream(each.request));
    EXPECT_EQ(named.application, each.application);
    EXPECT_EQ(named.evidence, each.evidence);
    EXPECT_EQ(named.reader, "http");
  }
}

TEST_F(DeciderTest, a_web_page_about_chat_is_a_web_page) {
  const Named named = name(Begin::stream(
      "POST /forum HTTP/1.1\r\nHost: a.test\r\n\r\n<message to='b@a.test' type='chat'>PRIVMSG #a :x\r\n"));
  EXPECT_EQ(named.application, "HTTP");
  EXPECT_EQ(named.category, Category::other);
}

TEST_F(DeciderTest, a_websocket_of_unknown_kind_is_no_messenger) {
  const Named named = name(Begin::stream("GET / HTTP/1.1\r\nHost: a.test\r\nUpgrade: websocket\r\n\r\n",
                                         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\5hello"));
  EXPECT_EQ(named.application, "WebSocket");
  EXPECT_EQ(named.category, Category::other);
  EXPECT_EQ(named.reader, "websocket");
}

TEST_F(DeciderTest, inside_a_tunnel_the_inner_conversation_decides) {
  const std::string stream =
      "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
      "to='a.test'>";
  const Named named = name(Begin::stream("CONNECT a.test:5222 HTTP/1.1\r\n\r\n" + stream, "HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_EQ(named.application, "Jabber");
  EXPECT_EQ(named.evidence, "payload: XMPP stream or stanza (inside http connect)");
  const Named by_target =
      name(Begin::stream("CONNECT talk.example.org:443 HTTP/1.1\r\n\r\n\x83\x91", "HTTP/1.1 200 OK\r\n\r\n"));
  EXPECT_EQ(by_target.application, "ExampleTalk");
}

TEST_F(DeciderTest, behind_starttls_the_hello_counts) {
  const Named named = name(Begin::stream("a01 STARTTLS\r\n" + read_hex(kMeta + "tls13_client.hex")));
  EXPECT_EQ(named.application, "Jabber");
  EXPECT_EQ(named.evidence, "tls alpn: xmpp-client (behind STARTTLS)");
}

TEST_F(DeciderTest, joined_midway_the_sides_may_be_turned) {
  const Named named =
      name(Begin::stream(":im.test 001 alice :Welcome\r\n:bob!b@h PRIVMSG #a :y\r\n", "PRIVMSG #a :x\r\n", true));
  EXPECT_EQ(named.application, "IRC");
  const Named stanza = name(Begin::stream("", "<message to='a@b' type='chat'><body>x</body></message>", true));
  EXPECT_EQ(stanza.application, "Jabber");
  EXPECT_EQ(stanza.reader, "xmpp");
}

TEST_F(DeciderTest, a_network_of_one_purpose_is_the_last_resort) {
  const Endpoint there{v4("\xcb\0\x71\5"), 443};
  const Named named = name(Begin::stream("\x83\x91\xaa\x11 opaque"s).to(there));
  EXPECT_EQ(named.evidence, "network: 203.0.113.5 belongs to NetTalk");
  EXPECT_EQ(ask(Begin::stream("\x83\x91\xaa\x11 opaque"s).to(there), false).state, Opinion::State::undecided);
}

TEST_F(DeciderTest, answers_seen_later_teach_too) {
  const std::string answer = "\x12\x34\x81\x80\0\1\0\1\0\0\0\0"s + "\4talk\7example\3org\0\0\1\0\1"s +
                             "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc6\x33\x64\x07"s;
  decider_->watched(client_end(), {v4("\x0a\1\1\1"), 53},
                    {Side::server, answer, from_unix_ns(1'700'000'000'000'000'000)});
  EXPECT_EQ(name(Begin::stream("\x83\x91\xaa\x11 opaque"s)).application, "ExampleTalk");
  EXPECT_GT(decider_->memory(), 0U);
}

}  // namespace
}  // namespace chancery::sensor
