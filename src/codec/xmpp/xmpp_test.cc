#include "codec/xmpp/xmpp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/testing/check.h"
#include "codec/xmpp/testing.h"

CHANCERY_TRANSCRIPTS(xmpp, chancery::xmpp::kProtocol, CHANCERY_TESTDATA);

namespace chancery::xmpp {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Tls = Start::Tls;

constexpr std::array kTlsModes{Tls::none, Tls::starttls, Tls::direct};

TEST(xmpp, signs_in_with_every_mix_of_plain_starttls_and_direct_tls) {
  for (const Tls client : kTlsModes) {
    for (const Tls server : kTlsModes) {
      Bed bed{start_with(client, server)};
      bed.sign_in();
      EXPECT_EQ(bed.identified(), "alice@im.test");
      EXPECT_EQ(bed.tls_started(Side::client), client == Tls::starttls);
      EXPECT_EQ(bed.tls_started(Side::server), server == Tls::starttls);
      EXPECT_EQ(bed.feed(Side::client, kHello), std::string{"S:"} + kHello);
    }
  }
}

TEST(xmpp, nothing_of_the_client_reaches_a_server_in_clear_where_the_route_demands_starttls) {
  Bed bed{start_with(Tls::direct, Tls::starttls)};
  const std::string opened = bed.feed(Side::client, std::string{kHeader} + kAuth);
  EXPECT_THAT(opened, Not(HasSubstr("<auth")));
  EXPECT_THAT(bed.feed(Side::server, kServerHeader), Not(HasSubstr("S:")));
  EXPECT_EQ(bed.feed(Side::server, kStartTlsOffer), std::string{"S:"} + kStartTls);
  EXPECT_EQ(bed.feed(Side::server, kProceed), std::string{"[tls S]S:"} + kHeader + kAuth);
}

// RFC 6120 §5.4.3.3; CVE-2011-0411 is the same mistake in SMTP.
TEST(xmpp, what_follows_the_request_for_tls_in_clear_is_thrown_away) {
  Bed bed{start_with(Tls::starttls, Tls::none)};
  bed.feed(Side::client, kHeader);
  const std::string answer = bed.feed(Side::client, std::string{kStartTls} + kHeader + kAuth);
  EXPECT_EQ(answer, std::string{"C:"} + kProceed + "[tls C]");
  EXPECT_EQ(bed.feed(Side::client, kHeader), std::string{"S:"} + kHeader);
}

TEST(xmpp, what_is_read_between_the_request_for_tls_and_its_answer_is_thrown_away) {
  Bed bed{start_with(Tls::starttls, Tls::none)};
  bed.feed(Side::client, kHeader);
  std::vector<Unit> units;
  EXPECT_FALSE(bed.codec().feed(Side::client, kStartTls, {}, Boundary::stream, units));
  EXPECT_FALSE(bed.codec().feed(Side::client, "<injected/>", {}, Boundary::stream, units));
  ASSERT_EQ(units.size(), 1U);
  EXPECT_EQ(bed.release(units), std::string{"C:"} + kProceed + "[tls C]");
  EXPECT_EQ(bed.feed(Side::client, kHeader), std::string{"S:"} + kHeader);
}

TEST(xmpp, what_follows_the_servers_proceed_in_clear_is_thrown_away) {
  Bed bed{start_with(Tls::none, Tls::starttls)};
  bed.feed(Side::client, kHeader);
  bed.feed(Side::server, kServerHeader);
  bed.feed(Side::server, kStartTlsOffer);
  const std::string answer = bed.feed(Side::server, std::string{kProceed} + kServerHeader + kOffer);
  EXPECT_EQ(answer, std::string{"[tls S]S:"} + kHeader);
}

TEST(xmpp, a_client_that_sends_anything_but_starttls_in_clear_is_told_and_closed) {
  Bed bed{start_with(Tls::starttls, Tls::none)};
  bed.feed(Side::client, kHeader);
  EXPECT_THAT(bed.feed(Side::client, kAuth), HasSubstr("error not allowed at this point"));
  EXPECT_THAT(bed.end(Codec::Ending::peer_error, CodecError::out_of_order), HasSubstr("<bad-format"));
}

TEST(xmpp, a_server_that_refuses_starttls_or_speaks_an_old_version_is_not_used) {
  for (const std::string_view answer :
       {std::string_view{"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"},
        std::string_view{"<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"}}) {
    Bed bed{start_with(Tls::direct, Tls::starttls)};
    bed.feed(Side::client, kHeader);
    bed.feed(Side::server, kServerHeader);
    bed.feed(Side::server, kStartTlsOffer);
    EXPECT_THAT(bed.feed(Side::server, answer), HasSubstr("<remote-connection-failed"));
    EXPECT_EQ(bed.last_event().kind, Kind::protocol_error);
  }
  Bed bed{start_with(Tls::direct, Tls::starttls)};
  bed.feed(Side::client, kHeader);
  const std::string old =
      bed.feed(Side::server, "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>");
  EXPECT_THAT(old, HasSubstr("<remote-connection-failed"));
}

TEST(xmpp, a_server_that_requires_starttls_on_a_plain_route_is_not_used) {
  Bed bed;
  bed.feed(Side::client, kHeader);
  bed.feed(Side::server, kServerHeader);
  const std::string answer = bed.feed(
      Side::server,
      "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>");
  EXPECT_THAT(answer, HasSubstr("<remote-connection-failed"));
  EXPECT_THAT(answer, Not(HasSubstr("<starttls")));
}

TEST(xmpp, octets_that_wait_for_the_servers_tls_are_bounded) {
  Bed bed{start_with(Tls::direct, Tls::starttls)};
  bed.feed(Side::client, kHeader);
  std::string answer;
  for (int i = 0; i < 100 && answer.empty(); ++i)
    answer = bed.feed(Side::client, "<iq type='get' id='x'><q xmlns='q'>" + std::string(1'000, 'x') + "</q></iq>");
  EXPECT_THAT(answer, HasSubstr("<policy-violation"));
  EXPECT_LT(bed.codec().memory(), 100'000U);
}

TEST(xmpp, messages_before_authentication_are_refused) {
  Bed bed;
  bed.feed(Side::client, kHeader);
  EXPECT_THAT(bed.feed(Side::client, kHello), HasSubstr("error"));
}

TEST(xmpp, a_stanza_name_in_another_namespace_is_refused) {
  Bed bed;
  bed.sign_in();
  EXPECT_THAT(bed.feed(Side::client, "<message xmlns='jabber:server' to='bob@im.test'><body>x</body></message>"),
              HasSubstr("error"));
}

TEST(xmpp, a_sign_in_that_policy_refuses_ends_the_stream) {
  Bed bed;
  bed.decide = [](const Event& event) {
    Decision decision;
    if (event.kind == Kind::sign_in) {
      decision.verdict = Verdict::refuse;
      decision.notice = "Register first.";
    }
    return decision;
  };
  const std::string answer = bed.sign_in();
  EXPECT_THAT(answer, HasSubstr("<policy-violation"));
  EXPECT_THAT(answer, HasSubstr("Register first."));
  EXPECT_THAT(answer, Not(HasSubstr("alice@im.test/desk")));
  EXPECT_EQ(bed.identified(), "");
}

struct Farewell {
  Codec::Ending why;
  CodecError error;
  std::string_view condition;
};

class xmpp_end : public ::testing::TestWithParam<Farewell> {};

TEST_P(xmpp_end, is_the_protocols_own_stream_error) {
  const auto& [why, error, condition] = GetParam();
  const std::string expected = "<" + std::string{condition} + " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>";

  Bed open;
  open.sign_in();
  const std::string goodbye = open.end(why, error);
  EXPECT_THAT(goodbye, StartsWith("C:<stream:error "));
  EXPECT_THAT(goodbye, HasSubstr(expected));
  EXPECT_THAT(goodbye, HasSubstr("</stream:error></stream:stream>[close C]"));
  EXPECT_THAT(goodbye, HasSubstr("S:</stream:stream>[close S]"));
  EXPECT_EQ(open.end(why, error), "") << "a stream ends once";
  EXPECT_FALSE(open.codec().inject(Side::client, "late", nullptr, open.outbox()));

  // RFC 6120 §4.9.1.2: a stream that is not open is opened first.
  Bed fresh{start_with(Tls::none, Tls::none)};
  const std::string first = fresh.end(why, error);
  EXPECT_THAT(first, StartsWith("C:<?xml version='1.0'?><stream:stream "));
  EXPECT_THAT(first, HasSubstr("from='im.test'"));
  EXPECT_THAT(first, HasSubstr(expected));
  EXPECT_THAT(first, Not(HasSubstr("S:")));
}

INSTANTIATE_TEST_SUITE_P(
    all, xmpp_end,
    ::testing::Values(Farewell{Codec::Ending::peer_error, CodecError::malformed, "not-well-formed"},
                      Farewell{Codec::Ending::peer_error, CodecError::restricted, "restricted-xml"},
                      Farewell{Codec::Ending::peer_error, CodecError::not_utf8, "unsupported-encoding"},
                      Farewell{Codec::Ending::peer_error, CodecError::too_large, "policy-violation"},
                      Farewell{Codec::Ending::peer_error, CodecError::too_deep, "policy-violation"},
                      Farewell{Codec::Ending::peer_error, CodecError::too_many, "policy-violation"},
                      Farewell{Codec::Ending::upstream_lost, CodecError::malformed, "remote-connection-failed"},
                      Farewell{Codec::Ending::upstream_unreachable, CodecError::malformed, "remote-connection-failed"},
                      Farewell{Codec::Ending::shutdown, CodecError::malformed, "system-shutdown"},
                      Farewell{Codec::Ending::not_recorded, CodecError::malformed, "internal-server-error"},
                      Farewell{Codec::Ending::idle, CodecError::malformed, "connection-timeout"},
                      Farewell{Codec::Ending::overloaded, CodecError::malformed, "resource-constraint"}));

TEST(xmpp, a_broken_server_is_the_servers_fault) {
  Bed bed;
  bed.sign_in();
  EXPECT_THAT(bed.feed(Side::server, "<message></oops>"), HasSubstr("error not well-formed"));
  EXPECT_THAT(bed.end(Codec::Ending::peer_error, CodecError::malformed), HasSubstr("<remote-connection-failed"));
}

TEST(xmpp, a_connection_cut_inside_a_stanza_is_an_error_and_between_two_is_not) {
  Bed bed;
  bed.sign_in();
  std::vector<Unit> units;
  EXPECT_FALSE(bed.codec().finish(Side::client, units));
  bed.feed(Side::client, "<message><bo");
  EXPECT_EQ(bed.codec().finish(Side::client, units), CodecError::malformed);
  EXPECT_TRUE(units.empty());
}

TEST(xmpp, what_comes_behind_the_closing_tag_is_thrown_away) {
  Bed bed;
  bed.sign_in();
  EXPECT_EQ(bed.feed(Side::client, "</stream:stream><a xmlns='urn:xmpp:sm:3' h='1'/>"), "S:</stream:stream>");
  EXPECT_EQ(bed.feed(Side::client, kHello), "");
  EXPECT_EQ(bed.feed(Side::server, kHelloBack), std::string{"C:"} + kHelloBack) << "the other side is still open";
  std::vector<Unit> units;
  EXPECT_FALSE(bed.codec().finish(Side::client, units));
}

TEST(xmpp, nothing_is_said_behind_a_closing_tag) {
  Bed by_client;
  by_client.sign_in();
  by_client.feed(Side::client, "</stream:stream>");
  EXPECT_THAT(by_client.end(Codec::Ending::shutdown, CodecError::malformed), Not(HasSubstr("S:")));
  Bed by_server;
  by_server.sign_in();
  by_server.feed(Side::server, "</stream:stream>");
  EXPECT_FALSE(by_server.codec().inject(Side::client, "late", nullptr, by_server.outbox()));
  by_server.decide = [](const Event&) {
    Decision decision;
    decision.verdict = Verdict::refuse;
    return decision;
  };
  EXPECT_EQ(by_server.feed(Side::client, kHello), "");
  EXPECT_EQ(by_server.end(Codec::Ending::shutdown, CodecError::malformed), "[close C]S:</stream:stream>[close S]");
}

TEST(xmpp, bad_input_has_its_own_error) {
  const auto error_of = [](std::string_view octets) {
    Bed bed;
    bed.sign_in();
    return bed.feed(Side::client, octets);
  };
  EXPECT_THAT(error_of("<!DOCTYPE x [<!ENTITY a 'b'>]><message/>"), HasSubstr("forbids"));
  EXPECT_THAT(error_of("<message><body>&a;</body></message>"), HasSubstr("error"));
  EXPECT_THAT(error_of("<message><body>\xff</body></message>"), HasSubstr("not UTF-8"));
  EXPECT_THAT(error_of("<message><body>" + std::string(300'000, 'x') + "</body></message>"), HasSubstr("larger"));
  std::string deep = "<message>";
  for (int i = 0; i < 100; ++i) deep += "<a>";
  EXPECT_THAT(error_of(deep), HasSubstr("deeper"));
  std::string many = "<message";
  for (int i = 0; i < 100; ++i) many += " a" + std::to_string(i) + "=''";
  EXPECT_THAT(error_of(many + "/>"), HasSubstr("more attributes"));
  std::string addressed = "<message><addresses xmlns='http://jabber.org/protocol/address'>";
  for (int i = 0; i < 100; ++i) addressed += "<address type='to' jid='a@b'/>";
  EXPECT_THAT(error_of(addressed + "</addresses><body>x</body></message>"), HasSubstr("more attributes"));
}

TEST(xmpp, an_idle_session_holds_less_than_two_kibibytes) {
  Bed bed{start_with(Tls::starttls, Tls::starttls)};
  bed.sign_in();
  bed.feed(Side::server, kHelloBack);
  RecordProperty("memory", std::to_string(bed.codec().memory()));
  EXPECT_LT(bed.codec().memory(), 2'048U);
}

TEST(xmpp, rooms_and_their_members_are_bounded) {
  Limits limits;
  limits.rooms_max = 2;
  limits.members_max = 3;
  Bed bed{{}, limits};
  bed.sign_in();
  for (int i = 0; i < 4; ++i)
    bed.feed(Side::client,
             "<presence to='r" + std::to_string(i) + "@c/a'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
  for (int i = 0; i < 5; ++i)
    bed.feed(Side::server, "<presence from='r0@c/n" + std::to_string(i) +
                               "'><x xmlns='http://jabber.org/protocol/muc#user'><item/></x></presence>");
  bed.feed(Side::server,
           "<presence from='r0@c/a'><x xmlns='http://jabber.org/protocol/muc#user'><item/><status "
           "code='110'/></x></presence>");
  EXPECT_EQ(bed.last_event().kind, Kind::join);
  EXPECT_EQ(bed.last_event().present.size(), 3U);
  bed.feed(Side::server,
           "<presence from='r3@c/a'><x xmlns='http://jabber.org/protocol/muc#user'><item/><status "
           "code='110'/></x></presence>");
  EXPECT_EQ(bed.last_event().room, "r0@c") << "a room above the limit is not tracked";
}

TEST(xmpp, the_probe_knows_a_stream_and_a_stanza_in_its_middle) {
  const auto probe = kProtocol.probe;
  EXPECT_EQ(probe(Side::client, kHeader), Likeness::yes);
  EXPECT_EQ(probe(Side::server, "ello</body></message><message from='a@b' to='c@d'><body>"), Likeness::yes);
  EXPECT_EQ(probe(Side::server, "<presence from='a@b'/>"), Likeness::yes);
  EXPECT_EQ(probe(Side::client, "<?xm"), Likeness::need_more);
  EXPECT_EQ(probe(Side::client, "  "), Likeness::need_more);
  EXPECT_EQ(probe(Side::client, "GET / HTTP/1.1\r\n"), Likeness::no);
  EXPECT_EQ(probe(Side::client, "\x16\x03\x01"), Likeness::no);
  EXPECT_EQ(probe(Side::server, "<html><message >hello</message>" + std::string(3'000, ' ')), Likeness::no);
}

}  // namespace
}  // namespace chancery::xmpp
