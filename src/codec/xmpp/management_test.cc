#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/xmpp/stream_management.h"
#include "codec/xmpp/testing.h"

namespace chancery::xmpp {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kEnable = "<enable xmlns='urn:xmpp:sm:3' resume='true'/>";
constexpr const char* kEnabled =
    "<enabled xmlns='urn:xmpp:sm:3' id='sm1' resume='true' max='300' location='[::1]:5222'/>";
constexpr const char* kRequest = "<r xmlns='urn:xmpp:sm:3'/>";

std::string ack(int h) { return "<a xmlns='urn:xmpp:sm:3' h='" + std::to_string(h) + "'/>"; }
std::string resume(int h, std::string_view id = "sm1") {
  return "<resume xmlns='urn:xmpp:sm:3' h='" + std::to_string(h) + "' previd='" + std::string{id} + "'/>";
}
std::string resumed(int h) { return "<resumed xmlns='urn:xmpp:sm:3' h='" + std::to_string(h) + "' previd='sm1'/>"; }

Decision refuse_the_word(const Event& event) {
  Decision decision;
  if (!event.texts.empty() && event.texts[0].text == "the word") decision.verdict = Verdict::refuse;
  return decision;
}

std::string from_client(std::string_view body) {
  return "<message to='bob@im.test' type='chat'><body>" + std::string{body} + "</body></message>";
}
std::string from_server(std::string_view body) {
  return "<message from='bob@im.test/x' to='alice@im.test/desk' type='chat'><body>" + std::string{body} +
         "</body></message>";
}

class stream_management : public ::testing::Test {
 protected:
  Start start() {
    Start start = start_with(Start::Tls::none, Start::Tls::none);
    start.shared = &store_;
    return start;
  }
  std::unique_ptr<Bed> connected() {
    auto bed = std::make_unique<Bed>(start());
    bed->decide = refuse_the_word;
    bed->sign_in();
    bed->feed(Side::client, kEnable);
    bed->feed(Side::server, kEnabled);
    return bed;
  }
  // A new connection, up to where the client would bind or resume.
  std::unique_ptr<Bed> reconnected() {
    auto bed = std::make_unique<Bed>(start());
    bed->decide = refuse_the_word;
    bed->authenticate();
    bed->open_again();
    return bed;
  }
  ResumptionStore store_;
};

TEST_F(stream_management, enabled_loses_its_location_and_names_the_session) {
  Bed bed{start()};
  bed.sign_in();
  EXPECT_EQ(bed.feed(Side::client, kEnable), std::string{"S:"} + kEnable);
  EXPECT_EQ(bed.feed(Side::server, kEnabled), "C:<enabled xmlns='urn:xmpp:sm:3' id='sm1' resume='true' max='300'/>");
  EXPECT_EQ(bed.session_key(), "sm1");
}

TEST_F(stream_management, without_a_memory_that_outlives_the_connection_nothing_is_resumable) {
  Bed bed;
  bed.sign_in();
  EXPECT_EQ(bed.feed(Side::client, kEnable), "S:<enable xmlns='urn:xmpp:sm:3'/>");
  EXPECT_EQ(bed.feed(Side::server, kEnabled), "C:<enabled xmlns='urn:xmpp:sm:3'/>");
  EXPECT_EQ(bed.session_key(), "");
}

TEST_F(stream_management, a_refused_message_is_acknowledged_in_its_place) {
  auto bed = connected();
  bed->feed(Side::client, from_client("one"));
  EXPECT_THAT(bed->feed(Side::client, from_client("the word")),
              StartsWith("C:<message xmlns='jabber:client' type='error'"));
  bed->feed(Side::client, from_client("two"));
  EXPECT_EQ(bed->feed(Side::client, kRequest), std::string{"S:"} + kRequest);
  EXPECT_EQ(bed->feed(Side::server, ack(1)), "C:" + ack(2)) << "the first, and what was refused behind it";
  EXPECT_EQ(bed->feed(Side::server, ack(2)), "C:" + ack(3));
}

TEST_F(stream_management, what_the_gateway_says_itself_is_not_counted_by_the_server) {
  auto bed = connected();
  bed->feed(Side::server, from_server("one"));
  ASSERT_TRUE(bed->codec().inject(Side::client, "You are recorded.", nullptr, bed->outbox()));
  bed->said();
  bed->feed(Side::server, from_server("two"));
  EXPECT_EQ(bed->feed(Side::client, ack(1)), "S:" + ack(1));
  EXPECT_EQ(bed->feed(Side::client, ack(2)), "S:" + ack(1)) << "the notice";
  EXPECT_EQ(bed->feed(Side::client, ack(3)), "S:" + ack(2));
}

TEST_F(stream_management, a_message_of_somebody_else_that_is_refused_is_acknowledged_too) {
  auto bed = connected();
  bed->feed(Side::server, from_server("the word"));
  bed->feed(Side::server, from_server("two"));
  EXPECT_EQ(bed->feed(Side::client, ack(1)), "S:" + ack(2));
}

TEST_F(stream_management, a_count_of_what_was_never_sent_ends_the_stream) {
  auto bed = connected();
  bed->feed(Side::server, from_server("one"));
  EXPECT_THAT(bed->feed(Side::client, ack(7)), HasSubstr("<undefined-condition"));
  auto other = connected();
  EXPECT_THAT(other->feed(Side::client, "<a xmlns='urn:xmpp:sm:3' h='many'/>"), HasSubstr("<undefined-condition"));
}

TEST_F(stream_management, a_session_is_resumed_on_a_new_connection_with_mapped_counts) {
  auto old = connected();
  old->feed(Side::client, from_client("one"));
  old->feed(Side::client, from_client("the word"));
  old->feed(Side::client, from_client("two"));
  old->feed(Side::server, from_server("three"));
  old.reset();

  auto bed = reconnected();
  // The client saw `three`, and before it the error for the refused message.
  EXPECT_EQ(bed->feed(Side::client, resume(2)), "S:" + resume(1));
  // The server got `one` only: the refused one counts behind it.
  EXPECT_EQ(bed->feed(Side::server, resumed(1)), "C:" + resumed(2));
  EXPECT_EQ(bed->resumed(), "sm1");
  EXPECT_EQ(bed->identified(), "alice@im.test");
  EXPECT_EQ(bed->last_event().kind, Kind::sign_in);
  EXPECT_EQ(bed->last_event().from_device, "alice@im.test/desk");

  bed->feed(Side::client, from_client("two"));
  EXPECT_EQ(bed->last_event().copy, Copy::resend);
  EXPECT_EQ(bed->last_event().from, "alice@im.test");
  bed->feed(Side::client, from_client("four"));
  EXPECT_EQ(bed->last_event().copy, Copy::none);
  EXPECT_EQ(bed->feed(Side::server, ack(3)), "C:" + ack(4));
}

TEST_F(stream_management, what_the_gateway_said_and_nobody_got_is_said_again) {
  auto old = connected();
  ASSERT_TRUE(old->codec().inject(Side::client, "You are recorded.", nullptr, old->outbox()));
  old->said();
  old.reset();
  auto bed = reconnected();
  EXPECT_EQ(bed->feed(Side::client, resume(0)), "S:" + resume(0));
  EXPECT_THAT(bed->feed(Side::server, resumed(0)), HasSubstr("<body>You are recorded.</body>"));
}

TEST_F(stream_management, a_session_is_resumed_while_its_old_connection_seems_up) {
  auto old = connected();
  auto bed = reconnected();
  EXPECT_EQ(bed->feed(Side::client, resume(0)), "S:" + resume(0));
  bed->feed(Side::server, resumed(0));
  EXPECT_EQ(bed->identified(), "alice@im.test");
  EXPECT_THAT(old->feed(Side::client, ack(0)), HasSubstr("<undefined-condition"));
  old.reset();
  EXPECT_EQ(store_.size(), 1U) << "the dead connection takes nothing with it";
}

TEST_F(stream_management, a_notice_waits_until_the_resumption_is_answered) {
  connected().reset();
  auto bed = reconnected();
  bed->feed(Side::client, resume(0));
  const auto inject = [&] { return bed->codec().inject(Side::client, "You are recorded.", nullptr, bed->outbox()); };
  EXPECT_FALSE(inject());
  // Read, but not released yet: the record of the sign-in is not durable.
  std::vector<Unit> units;
  ASSERT_FALSE(bed->codec().feed(Side::server, resumed(0), {}, Boundary::stream, units));
  EXPECT_FALSE(inject());
  EXPECT_EQ(bed->release(units), "C:" + resumed(0));
  EXPECT_TRUE(inject());
  bed->said();
  EXPECT_EQ(bed->feed(Side::client, ack(1)), "S:" + ack(0)) << "counted behind <resumed/>";
}

TEST_F(stream_management, a_stanza_before_the_resumption_is_answered_ends_the_stream) {
  connected().reset();
  auto bed = reconnected();
  bed->feed(Side::client, resume(0));
  const std::string said = bed->feed(Side::client, from_client("too early"));
  EXPECT_THAT(said, HasSubstr("<not-authorized"));
  EXPECT_THAT(said, Not(HasSubstr("too early")));
}

// Its record was not durable when the client came back: the client sends it again, and the server must get it once.
TEST_F(stream_management, what_an_old_connection_still_brings_after_the_resumption_is_not_forwarded) {
  auto old = connected();
  std::vector<Unit> units;
  ASSERT_FALSE(old->codec().feed(Side::client, from_client("late"), {}, Boundary::stream, units));
  auto bed = reconnected();
  bed->feed(Side::client, resume(0));
  bed->feed(Side::server, resumed(0));
  const std::string said = old->release(units);
  EXPECT_THAT(said, HasSubstr("<conflict"));
  EXPECT_THAT(said, Not(HasSubstr("late")));
  EXPECT_EQ(bed->feed(Side::client, from_client("late")), "S:" + from_client("late"));
  EXPECT_EQ(bed->feed(Side::server, ack(1)), "C:" + ack(1));
}

TEST_F(stream_management, an_unknown_session_is_not_resumed_and_the_client_binds_anew) {
  auto bed = reconnected();
  EXPECT_EQ(bed->feed(Side::client, resume(0, "other")),
            "C:<failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>");
  bed->feed(Side::client, kBind);
  bed->feed(Side::server, kBound);
  EXPECT_EQ(bed->identified(), "alice@im.test");
  EXPECT_EQ(bed->feed(Side::client, kEnable), std::string{"S:"} + kEnable);
}

TEST_F(stream_management, nobody_resumes_the_session_of_another) {
  auto old = connected();
  old.reset();
  Bed eve{start()};
  eve.authenticate("AGV2ZQBzZWNyZXQ=");
  eve.open_again();
  EXPECT_THAT(eve.feed(Side::client, resume(0)), HasSubstr("<item-not-found"));
  auto bed = reconnected();
  EXPECT_EQ(bed->feed(Side::client, resume(0)), "S:" + resume(0));
}

TEST_F(stream_management, a_server_that_has_forgotten_the_session_says_so_and_the_client_binds_anew) {
  connected().reset();
  auto bed = reconnected();
  bed->feed(Side::client, resume(0));
  const std::string failed =
      "<failed xmlns='urn:xmpp:sm:3' h='0'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>";
  EXPECT_EQ(bed->feed(Side::server, failed), "C:" + failed);
  EXPECT_EQ(store_.size(), 0U);
  bed->feed(Side::client, kBind);
  bed->feed(Side::server, kBound);
  EXPECT_EQ(bed->identified(), "alice@im.test");
}

TEST_F(stream_management, a_session_that_was_closed_in_order_cannot_be_resumed) {
  auto old = connected();
  old->feed(Side::client, "</stream:stream>");
  old.reset();
  EXPECT_EQ(store_.size(), 0U);
}

TEST_F(stream_management, a_session_expires_after_the_time_that_the_server_named) {
  connected().reset();
  ASSERT_EQ(store_.size(), 1U);
  EXPECT_EQ(store_.take("sm1", "alice@im.test", Instant{std::chrono::seconds{301}}), nullptr);
}

TEST_F(stream_management, an_ending_of_the_gateways_own_leaves_the_servers_session_resumable) {
  auto old = connected();
  const std::string goodbye = old->end(Codec::Ending::shutdown, CodecError::malformed);
  EXPECT_THAT(goodbye, HasSubstr("<system-shutdown"));
  EXPECT_THAT(goodbye, Not(HasSubstr("S:</stream:stream>")));
  old.reset();
  auto bed = reconnected();
  EXPECT_EQ(bed->feed(Side::client, resume(0)), "S:" + resume(0));
}

TEST_F(stream_management, a_resumed_session_is_still_in_its_rooms) {
  auto old = connected();
  old->feed(Side::client, "<presence to='ops@c.test/al'><x xmlns='http://jabber.org/protocol/muc'/></presence>");
  old->feed(Side::server,
            "<presence from='ops@c.test/al'><x xmlns='http://jabber.org/protocol/muc#user'><item/><status "
            "code='110'/></x></presence>");
  old.reset();
  auto bed = reconnected();
  bed->feed(Side::client, resume(1));
  bed->feed(Side::server, resumed(1));
  bed->feed(Side::client, "<message to='ops@c.test' type='groupchat'><body>hi</body></message>");
  EXPECT_EQ(bed->last_event().from, "ops@c.test/al");
}

TEST_F(stream_management, a_bounce_of_what_was_sent_before_the_resumption_is_still_known) {
  auto old = connected();
  old->feed(Side::client, "<message to='bob@im.test' type='chat' id='m1'><body>to nobody</body></message>");
  old.reset();
  auto bed = reconnected();
  bed->feed(Side::client, resume(0));
  bed->feed(Side::server, resumed(1));
  std::vector<Unit> units;
  const auto bounce =
      "<message from='bob@im.test' to='alice@im.test/desk' type='error' id='m1'><body>to nobody</body></message>";
  ASSERT_FALSE(bed->codec().feed(Side::server, bounce, {}, Boundary::stream, units));
  ASSERT_EQ(units.size(), 1U);
  EXPECT_TRUE(units[0].events.empty());
}

TEST_F(stream_management, a_resumption_names_the_connection_that_it_takes_over_from) {
  auto old = connected();
  auto bed = reconnected();
  std::vector<Unit> units;
  ASSERT_FALSE(bed->codec().feed(Side::client, resume(0) + kRequest, {}, Boundary::stream, units));
  ASSERT_EQ(units.size(), 2U);
  EXPECT_TRUE(units[0].takes_over);
  EXPECT_FALSE(units[1].takes_over);
  EXPECT_EQ(bed->codec().resumes(), "sm1");
}

TEST_F(stream_management, one_who_only_says_that_he_is_somebody_resumes_nothing) {
  connected().reset();
  Bed bed{start()};
  bed.feed(Side::client, kHeader);
  bed.feed(Side::server, kServerHeader);
  bed.feed(Side::server, kOffer);
  EXPECT_THAT(bed.feed(Side::client, kAuth + resume(0)), HasSubstr("<item-not-found"));
  EXPECT_EQ(bed.codec().resumes(), "");
  EXPECT_EQ(store_.size(), 1U);
}

TEST_F(stream_management, nobody_takes_over_from_the_connection_of_another) {
  auto old = connected();
  Bed eve{start()};
  eve.authenticate("AGV2ZQBzZWNyZXQ=");
  eve.open_again();
  std::vector<Unit> units;
  ASSERT_FALSE(eve.codec().feed(Side::client, resume(0), {}, Boundary::stream, units));
  EXPECT_EQ(eve.codec().resumes(), "");
}

TEST_F(stream_management, an_idle_session_with_it_stays_small) {
  auto bed = connected();
  RecordProperty("memory", std::to_string(bed->codec().memory()));
  EXPECT_LT(bed->codec().memory(), 4'096U);
}

}  // namespace
}  // namespace chancery::xmpp
