#include "sensor/read/reading.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>
#include <zlib.h>

#include "sensor/read/http_messages.h"
#include "sensor/read/http_reader.h"
#include "sensor/read/login_reader.h"
#include "sensor/read/web_text.h"
#include "sensor/read/websocket.h"
#include "sensor/testing/packet_writer.h"

namespace chancery::sensor {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Found final : public Observer {
 public:
  void message(const SeenMessage& seen) override {
    messages.push_back(std::string{seen.from} + ">" + std::string{seen.to} + ": " + std::string{seen.text} +
                       (seen.copy_of ? " =" + std::to_string(*seen.copy_of) : ""));
  }
  void credential(const SeenCredential& seen) override {
    credentials.push_back(std::string{seen.protocol} + " " + std::string{seen.user} + " " + std::string{seen.what});
  }
  void url(const SeenUrl& seen) override { urls.push_back(std::string{seen.method} + " " + std::string{seen.url}); }

  std::vector<std::string> messages, credentials, urls;
};

class ReadingTest : public ::testing::Test {
 protected:
  // Plays "c…" and "s…" pieces, whole and then octet by octet; what is found must be the same.
  void play(std::string_view reader, const std::vector<std::string>& pieces, bool midstream = false) {
    Found whole;
    found_ = {};
    for (Found* found : {&whole, &found_}) {
      Reading reading{*found, {}};
      Flow flow;
      flow.ends = {testing::endpoint("192.0.2.1:40000"), testing::endpoint("192.0.2.2:80")};
      flow.midstream = midstream;
      const auto made = reading.make(reader, flow);
      ASSERT_TRUE(made) << reader;
      const std::size_t step = found == &whole ? SIZE_MAX : 1;
      bool more = true;
      for (const std::string& piece : pieces) {
        const Side from = piece[0] == 'c' ? Side::client : Side::server;
        for (Bytes rest = Bytes{piece}.substr(1); more && !rest.empty();
             rest.remove_prefix(std::min(step, rest.size())))
          more = made->octets(from, rest.substr(0, step), from_unix_ns(1'000'000'000));
      }
    }
    EXPECT_EQ(whole.messages, found_.messages);
    EXPECT_EQ(whole.credentials, found_.credentials);
    EXPECT_EQ(whole.urls, found_.urls);
  }
  Found found_;
};

TEST_F(ReadingTest, AnIrcSession) {
  play("irc", {"cPASS swordfish\r\nNICK anna\r\nUSER anna 0 * :Anna\r\n",
               "s:irc.example NOTICE * :*** Looking up your hostname\r\n:irc.example 001 anna :Welcome\r\n",
               "cPRIVMSG #tea :hello all\r\nPRIVMSG bjorn :\1DCC SEND a.txt 16909060 5000 10\1\r\n",
               "s:bjorn!b@h PRIVMSG anna :and you\r\n"});
  EXPECT_THAT(found_.messages, ElementsAre("irc.example>*: *** Looking up your hostname", "anna>#tea: hello all",
                                           "anna>bjorn: ", "bjorn>anna: and you"));
  EXPECT_THAT(found_.credentials, ElementsAre("irc anna pass"));
}

TEST_F(ReadingTest, APasswordThatAServiceSaysBackIsOneCredentialAndNoText) {
  play("irc", {"cNICK anna\r\nUSER anna 0 * :Anna\r\n", "s:irc.example 001 anna :Welcome\r\n",
               "cPRIVMSG NickServ :REGISTER swordfish anna@im\r\n",
               "s:NickServ!s@services NOTICE anna :anna is registered, with the password swordfish.\r\n"});
  EXPECT_THAT(found_.messages, ElementsAre("anna>NickServ: REGISTER *****************",
                                           "NickServ>anna: anna is registered, with the password *********."));
  EXPECT_THAT(found_.credentials, ElementsAre("irc anna nickserv"));
}

TEST_F(ReadingTest, AnXmppSessionWithAPlainSignIn) {
  const std::string open =
      "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='im' version='1.0'>";
  const std::string answer =
      "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='im' id='1' "
      "version='1.0'>"
      "<stream:features><mechanisms "
      "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>";
  play("xmpp",
       {"c" + open, "s" + answer,
        "c<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFubmEAc2VjcmV0</auth>",
        "s<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>", "c" + open, "s" + answer,
        "c<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>",
        "s<iq type='result' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>anna@im/x</jid></bind></iq>",
        "c<message to='bjorn@im' type='chat'><body>hello</body></message>"});
  EXPECT_THAT(found_.messages, ElementsAre("anna@im>bjorn@im: hello"));
  EXPECT_THAT(found_.credentials, ElementsAre("xmpp anna@im sasl PLAIN"));
}

// Cookies, tickets and keys of one connection are no credentials of a person.
TEST_F(ReadingTest, WhatIsGivenOutForOneConnectionIsNoAlert) {
  play("msnp", {"cUSR 1 anna@example.org 1726.1050826919.32308\r\n", "sUSR 1 OK anna@example.org Anna\r\n"});
  EXPECT_THAT(found_.credentials, IsEmpty());
  play("oscar", {"c*\1\0\1\0\x0e\0\0\0\1\0\6\0\6cookie"s});
  EXPECT_THAT(found_.credentials, IsEmpty());
}

// The server's answer, or its challenge, was not captured: a hash is no secret in clear for that.
TEST_F(ReadingTest, AHashWithoutItsAnswerIsNoAlert) {
  play("gadu-gadu", {"c\x31\0\0\0\x4f\0\0\0\x4e\x61\xbc\0pl\2"s + std::string(64, '\xaa') + std::string(8, '\0')});
  EXPECT_THAT(found_.credentials, IsEmpty());
}

TEST_F(ReadingTest, TheLongestFrameIsRead) {
  const std::string begin =
                        "5\xc0\x80"
                        "bjorn\xc0\x80"
                        "1\xc0\x80"
                        "anna\xc0\x80"
                        "14\xc0\x80",
                    end = "\xc0\x80";
  const std::string text(65'535 - begin.size() - end.size(), 'x');
  play("ymsg", {"cYMSG\0\x10\0\0\xff\xff\0\6\0\0\0\0\0\0\0\0"s + begin + text + end});
  EXPECT_THAT(found_.messages, ElementsAre("anna>bjorn: " + text));
}

TEST_F(ReadingTest, AStreamJoinedInTheMiddle) {
  play("xmpp",
       {"cdy></message><message to='bjorn@im'><body>joined</body></message>",
        "s half</body></message><message from='bjorn@im/x' to='anna@im/y'><body>late</body></message>"},
       true);
  EXPECT_THAT(found_.messages, ElementsAre(">bjorn@im: joined", "bjorn@im>anna@im: late"));
}

TEST_F(ReadingTest, AfterStarttlsNothingIsRead) {
  const std::string open =
      "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";
  play("xmpp",
       {"c" + open,
        "s" + open + "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
        "c<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "s<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        "c\x16\x03\x01<message to='x@y'><body>not this</body></message>"});
  EXPECT_THAT(found_.messages, IsEmpty());
}

TEST_F(ReadingTest, UrlsOfEachRequestWithoutSecrets) {
  play("http", {"cGET /a?x=1&token=abc HTTP/1.1\r\nHost: www.example\r\n\r\nPOST /b HTTP/1.1\r\nHost: "
                "www.example\r\nContent-Length: 5\r\n\r\nhello"
                "GET http://u:p@other.example/c HTTP/1.1\r\nHost: other.example\r\n\r\n",
                "sHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"});
  EXPECT_THAT(found_.urls, ElementsAre("GET http://www.example/a?x=1&token=***", "POST http://www.example/b",
                                       "GET http://***@other.example/c"));
}

TEST_F(ReadingTest, ChunkedBodiesAreNoRequests) {
  play("http", {"cPOST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1a;x=y\r\nGET /not-this "
                "HTTP/1.1\r\nab\r\n0\r\nTrailer: 1\r\n\r\n"
                "GET /b HTTP/1.1\r\nHost: h\r\n\r\n"});
  EXPECT_THAT(found_.urls, ElementsAre("POST http://h/a", "GET http://h/b"));
}

TEST_F(ReadingTest, CredentialsInHttp) {
  play("http", {"cGET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic YW5uYTpzZWNyZXQ=\r\n\r\n"
                "GET /again HTTP/1.1\r\nHost: h\r\nAuthorization: Basic YW5uYTpzZWNyZXQ=\r\n\r\n"
                "POST /login HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: "
                "40\r\n\r\n"
                "username=bj%C3%B6rn&password=s3cret&go=yes"});
  EXPECT_THAT(found_.credentials, ElementsAre("http anna basic", "http björn form"));
}

TEST_F(ReadingTest, GiganticHeadersAreLeftAndTheNextRequestIsRead) {
  play("http", {"cGET /a HTTP/1.1\r\nX: " + std::string(1'000'000, 'a') + "\r\n\r\n"});
  EXPECT_THAT(found_.urls, IsEmpty());
}

TEST_F(ReadingTest, Bosh) {
  const auto post = [](const std::string& body) {
    return "cPOST /http-bind HTTP/1.1\r\nHost: h\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  const auto reply = [](const std::string& body) {
    return "sHTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  const std::string head = "<body rid='1' sid='x' xmlns='http://jabber.org/protocol/httpbind'";
  play("http",
       {post(head + "/>"), reply(head + "/>"),
        post(head + "><message xmlns='jabber:client' to='bjorn@im'><body>one</body></message></body>"),
        reply(head + "><message xmlns='jabber:client' from='bjorn@im' to='anna@im'><body>two</body></message></body>"),
        post(head + "><message xmlns='jabber:client' to='bjorn@im'><body>three</body></message></body>")});
  EXPECT_THAT(found_.messages, ElementsAre(">bjorn@im: one", "bjorn@im>anna@im: two", "anna@im>bjorn@im: three"));
}

const std::string kPlain = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGFubmEAc2VjcmV0</auth>";
const std::string kSuccess = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
const std::string kBind =
    "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
const std::string kBound =
    "<iq xmlns='jabber:client' type='result' id='b'><bind "
    "xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>anna@im/x</jid></bind></iq>";

// As libpurple has it: the type stands in Content-Encoding.
TEST_F(ReadingTest, BoshFromTheSignInOn) {
  const auto post = [](const std::string& more, const std::string& inner) {
    const std::string body =
        "<body rid='1' xmlns='http://jabber.org/protocol/httpbind'" + more + ">" + inner + "</body>";
    return "cPOST /http-bind HTTP/1.1\r\nHost: h\r\nContent-Encoding: text/xml; charset=utf-8\r\nContent-Length: " +
           std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  const auto reply = [](const std::string& inner) {
    const std::string body = "<body sid='x' xmlns='http://jabber.org/protocol/httpbind'>" + inner + "</body>";
    return "sHTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  };
  play("http", {post(" to='im' wait='60'", ""), reply("<stream:features/>"), post(" sid='x'", kPlain), reply(kSuccess),
                post(" sid='x' to='im' xmpp:restart='true'", ""), reply("<stream:features/>"), post(" sid='x'", kBind),
                reply(kBound), post(" sid='x'", "<message to='bjorn@im'><body>a &gt; b</body></message>"),
                reply("<message from='bjorn@im' to='anna@im/x'><body>two</body></message>")});
  EXPECT_THAT(found_.messages, ElementsAre("anna@im>bjorn@im: a > b", "bjorn@im>anna@im: two"));
  EXPECT_THAT(found_.credentials, ElementsAre("xmpp anna@im sasl PLAIN"));
}

std::string frame(std::string_view payload, bool masked, unsigned char first = 0x81) {
  std::string out(1, static_cast<char>(first));
  const auto mask = static_cast<unsigned char>(masked ? 0x80 : 0);
  if (payload.size() < 126) {
    out += static_cast<char>(mask | payload.size());
  } else {
    out += static_cast<char>(mask | 126);
    out += static_cast<char>(payload.size() >> 8U);
    out += static_cast<char>(payload.size());
  }
  if (!masked) return out.append(payload);
  constexpr std::string_view kMask = "\x11\x22\x33\x44";
  out += kMask;
  for (std::size_t i = 0; i < payload.size(); ++i) out += static_cast<char>(payload[i] ^ kMask[i % 4]);
  return out;
}

const std::string kUpgrade = "cGET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
const std::string kSwitching = "sHTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n";

TEST_F(ReadingTest, TextsOfAWebSocket) {
  play("http", {kUpgrade, kSwitching + "\r\n" + frame("welcome", false), "c" + frame("hello there", true),
                "s" + frame("", false, 0x89) + frame("in two ", false, 0x01) + frame("pieces", false, 0x80),
                "c" + frame(R"({"type":"message","user":"anna","text":"caf\u00e9 \"x\""})", true),
                "c" + frame(R"({"type":"ping","id":7})", true), "c" + frame("\x01\x02 binary", true, 0x82),
                "s" + frame(R"(42["chat message",{"from":"bjorn","to":"tea","msg":"socket.io"}])", false)});
  EXPECT_THAT(found_.messages, ElementsAre(">: welcome", ">: hello there", ">: in two pieces", "anna>: café \"x\"",
                                           "bjorn>tea: socket.io"));
}

TEST_F(ReadingTest, DeflatedTextsOfAWebSocket) {
  z_stream stream{};
  ASSERT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
  const auto deflated = [&](std::string text) {
    std::string out(1'024, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(text.data());
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    deflate(&stream, Z_SYNC_FLUSH);
    out.resize(out.size() - stream.avail_out - 4);
    return out;
  };
  const std::string first = deflated("the same words"), second = deflated("the same words again");
  deflateEnd(&stream);
  play("http", {kUpgrade, kSwitching + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
                "c" + frame(first, true, 0xc1), "c" + frame(second, true, 0xc1)});
  EXPECT_THAT(found_.messages, ElementsAre(">: the same words", ">: the same words again"));
}

TEST_F(ReadingTest, XmppInAWebSocket) {
  play("http",
       {kUpgrade, kSwitching + "Sec-WebSocket-Protocol: xmpp\r\n\r\n",
        "c" + frame("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='im' version='1.0'/>", true),
        "c" + frame("<message xmlns='jabber:client' to='bjorn@im'><body>framed</body></message>", true),
        "s" + frame("<message xmlns='jabber:client' from='bjorn@im' to='anna@im'><body>too</body></message>", false)});
  EXPECT_THAT(found_.messages, ElementsAre(">bjorn@im: framed", "bjorn@im>anna@im: too"));
}

TEST_F(ReadingTest, AnXmppSignInInAWebSocket) {
  const std::string open = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='im' version='1.0'/>";
  const std::string answer = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='im' version='1.0'/>";
  const std::string features = "<stream:features xmlns:stream='http://etherx.jabber.org/streams'/>";
  play("http",
       {kUpgrade, kSwitching + "Sec-WebSocket-Protocol: xmpp\r\n\r\n", "c" + frame(open, true),
        "s" + frame(answer, false) + frame(features, false), "c" + frame(kPlain, true), "s" + frame(kSuccess, false),
        "c" + frame(open, true), "s" + frame(answer, false) + frame(features, false), "c" + frame(kBind, true),
        "s" + frame(kBound, false),
        "c" + frame("<message xmlns='jabber:client' to='bjorn@im'><body>framed</body></message>", true),
        "c" + frame("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", true)});
  EXPECT_THAT(found_.messages, ElementsAre("anna@im>bjorn@im: framed"));
  EXPECT_THAT(found_.credentials, ElementsAre("xmpp anna@im sasl PLAIN"));
}

TEST_F(ReadingTest, WhatIsNoFrameEndsTheWebSocket) {
  play("http", {kUpgrade, kSwitching + "\r\n", "c\x77garbage" + frame("no", true)});
  EXPECT_THAT(found_.messages, IsEmpty());
}

TEST_F(ReadingTest, SignInsOfLineProtocols) {
  play("ftp", {"s220 ready\r\n", "cUSER anna\r\n", "s331 password\r\n", "cPASS secret\r\n"});
  EXPECT_THAT(found_.credentials, ElementsAre("ftp anna pass"));
  play("ftp", {"cUSER anonymous\r\nPASS me@example\r\n"});
  EXPECT_THAT(found_.credentials, IsEmpty());
  play("pop3", {"cUSER anna\r\nPASS secret\r\n"});
  EXPECT_THAT(found_.credentials, ElementsAre("pop3 anna pass"));
  play("imap", {"ca1 LOGIN \"anna b\" secret\r\na2 SELECT INBOX\r\n"});
  EXPECT_THAT(found_.credentials, ElementsAre("imap anna b login"));
  play("smtp", {"cEHLO x\r\nAUTH PLAIN AGFubmEAc2VjcmV0\r\n"});
  EXPECT_THAT(found_.credentials, ElementsAre("smtp anna auth PLAIN"));
  play("smtp", {"cEHLO x\r\nAUTH LOGIN\r\nYW5uYQ==\r\nc2VjcmV0\r\n"});
  EXPECT_THAT(found_.credentials, ElementsAre("smtp anna auth LOGIN"));
  play("smtp", {"cEHLO x\r\nSTARTTLS\r\nAUTH PLAIN AGFubmEAc2VjcmV0\r\n"});
  EXPECT_THAT(found_.credentials, IsEmpty());
}

TEST(WebText, ProgramsTalkIsNoMessage) {
  for (const std::string_view text : {R"({"op":1,"d":7})", "<xml/>", "2", "40", "[1,2,3]", R"({"text":)", "\x01", ""})
    EXPECT_FALSE(read_web_text(text)) << text;
  std::string deep = R"({"text":"x"})";
  for (int i = 0; i < 1'000; ++i) deep = "[" + deep + "]";
  EXPECT_FALSE(read_web_text(deep));
}

}  // namespace
}  // namespace chancery::sensor
