// The session over real sockets: what leaves, when, in which order, and what is on the record.
#include <algorithm>

#include "gateway/testing/bed.h"
#include "net/proxy_protocol.h"

namespace chancery::gateway::testing {
namespace {

std::string text_of(const Record& record) {
  return record.event.texts.empty() ? std::string{} : record.event.texts.front().text;
}

struct RelayTest : Bed {
  std::optional<Peer> client, upstream;
  void join() {
    up();
    client.emplace(connect());
    upstream.emplace(server.accept());
  }
  void sign_in(const std::string& name = "alice") {
    client->send("LOGIN " + name + "\n");
    EXPECT_EQ(upstream->read_until("\n"), "LOGIN " + name + "\n");
  }
};

TEST_F(RelayTest, BothDirectionsPassByteIdentical) {
  join();
  client->send("hello\r\n\tworld\n");
  EXPECT_EQ(upstream->read_until("world\n"), "hello\r\n\tworld\n");
  upstream->send("welcome\n");
  EXPECT_EQ(client->read_until("\n"), "welcome\n");
}

TEST_F(RelayTest, NothingIsForwardedBeforeItsRecordIsDurable) {
  join();
  sign_in();
  journal().hold(true);
  const std::uint64_t before = journal().durable_size();
  client->send("MSG bob one\nplain\nMSG bob two\n");
  ASSERT_TRUE(until_records(Kind::message, 2));
  EXPECT_EQ(stats().events.read, 1U);  // the sign-in: nothing else is settled
  // One record becomes durable: its unit leaves and the plain line behind it, and no more.
  journal().let(before + 1);
  EXPECT_EQ(upstream->read_until("plain\n"), "MSG bob one\nplain\n");
  EXPECT_EQ(stats().events.read, 2U);
  journal().let_all();
  EXPECT_EQ(upstream->read_until("\n"), "MSG bob two\n");
}

TEST_F(RelayTest, WhatBecomesDurableWhileASessionLooksIsNotForgotten) {
  join();
  sign_in();
  journal().hold(true);
  journal().creep();
  client->send("MSG bob now\n");
  ASSERT_TRUE(until([&] { return journal().next_index() > 2 && journal().durable_size() == journal().next_index(); }));
  journal().let_all();
  EXPECT_EQ(upstream->read_until("\n"), "MSG bob now\n");
}

// ---- Resumption ----------------------------------------------------------------------------------------------------

struct ResumptionTest : RelayTest {
  void have_key() {
    client->send("KEY k\n");
    EXPECT_EQ(upstream->read_until("\n"), "KEY k\n");
  }
  static bool has_input(const Peer& peer) {
    char octet = 0;
    return ::recv(peer.fd(), &octet, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
  }
};

TEST_F(ResumptionTest, ItWaitsUntilTheUpstreamHasHandledWhatTheOldConnectionBrought) {
  join();
  sign_in();
  have_key();
  journal().hold(true);
  client->send("MSG bob last words\n");
  ASSERT_TRUE(until_records(Kind::message, 1));
  Peer again = connect();
  Peer upstream_again = server.accept();
  again.send("hello\nRESUME k\nbehind\n");
  EXPECT_EQ(upstream_again.read_until("\n"), "hello\n");
  journal().let_all();
  EXPECT_EQ(upstream->read_to_end(), "MSG bob last words\n");
  EXPECT_EQ(client->read_to_end(), "") << "one of the two connections has the session";
  on_loop([] {});
  EXPECT_FALSE(has_input(upstream_again));
  upstream.reset();
  EXPECT_EQ(upstream_again.read_until("behind\n"), "RESUME k\nbehind\n");
}

TEST_F(ResumptionTest, OneSessionSpansItsConnectionsAndEachCountsItsOwn) {
  join();
  sign_in();
  have_key();
  client->send("MSG bob one\nMSG bob forbidden\n");
  EXPECT_EQ(upstream->read_until("\n"), "MSG bob one\n");
  client->reset();
  EXPECT_EQ(upstream->read_to_end(), "");
  upstream.reset();
  ASSERT_TRUE(until_records(Kind::stream_close, 1));
  Peer again = connect();
  Peer upstream_again = server.accept();
  again.send("RESUME k\n");
  EXPECT_EQ(upstream_again.read_until("\n"), "RESUME k\n");
  again.send("MSG bob two\n");
  EXPECT_EQ(upstream_again.read_until("\n"), "MSG bob two\n");
  again.reset();
  EXPECT_EQ(upstream_again.read_to_end(), "");
  {
    const Peer gone = std::move(upstream_again);
  }
  ASSERT_TRUE(until_records(Kind::stream_close, 2));
  const auto messages = journal().records(Kind::message);
  ASSERT_EQ(messages.size(), 3U);
  for (const Record& record : messages) {
    EXPECT_FALSE(record.session.is_nil());
    EXPECT_EQ(record.session, messages.front().session);
    EXPECT_EQ(record.account, "alice");
  }
  EXPECT_NE(messages.front().connection, messages.back().connection);
  const auto ends = journal().records(Kind::stream_close);
  ASSERT_TRUE(ends[0].counters && ends[1].counters);
  EXPECT_EQ(ends[0].counters->read, 3U) << "sign-in, one, forbidden";
  EXPECT_EQ(ends[0].counters->refused, 1U);
  EXPECT_EQ(ends[1].counters->read, 1U);
  EXPECT_EQ(ends[1].counters->forwarded, 1U);
}

TEST_F(ResumptionTest, OfAnUnknownKeyIsASessionOfItsOwn) {
  join();
  client->send("RESUME nothing\nhello\n");
  EXPECT_EQ(upstream->read_until("hello\n"), "RESUME nothing\nhello\n");
}

TEST_F(RelayTest, WhatNeverLeavesIsCountedAsUndeliverable) {
  join();
  sign_in();
  journal().hold(true);
  client->send("MSG bob one\nMSG bob forbidden\nMSG bob two\n");
  ASSERT_TRUE(until_records(Kind::message, 3));
  journal().fail();
  EXPECT_EQ(client->read_to_end(), "BYE not_recorded\n");
  EXPECT_EQ(upstream->read_to_end(), "");
  const Counters events = stats().events;
  EXPECT_EQ(events.read, 4U);
  EXPECT_EQ(events.forwarded, 1U) << "the sign-in";
  EXPECT_EQ(events.refused, 1U);
  EXPECT_EQ(events.undeliverable, 2U);
}

TEST_F(RelayTest, ARefusalToo) {
  join();
  sign_in();
  journal().hold(true);
  client->send("MSG bob forbidden\n");
  ASSERT_TRUE(until_records(Kind::message, 1));
  upstream->send("ping\n");
  EXPECT_EQ(client->read_until("\n"), "ping\n");  // the other direction waits for nothing
  journal().let_all();
  EXPECT_EQ(client->read_until("\n"), "REFUSED not allowed\n");
  client->send("MSG bob fine\n");
  ASSERT_TRUE(until_records(Kind::message, 2));
  journal().let_all();
  EXPECT_EQ(upstream->read_until("\n"), "MSG bob fine\n");  // and nothing of the refused one before it
  const Record record = journal().records(Kind::message).front();
  EXPECT_EQ(record.decision.verdict, Verdict::refuse);
  EXPECT_EQ(record.decision.rule, "no-forbidden");
  EXPECT_EQ(text_of(record), "forbidden");
}

TEST_F(RelayTest, ARedactedMessageLeavesMaskedAndIsRecordedWhole) {
  join();
  sign_in();
  client->send("MSG bob the secret plan\n");
  EXPECT_EQ(upstream->read_until("\n"), "MSG bob the ****** plan\n");
  EXPECT_EQ(text_of(journal().records(Kind::message).front()), "the secret plan");
}

TEST_F(RelayTest, SecretsAreForwardedAndNeverRecorded) {
  join();
  client->send("PASS hunter2\n");
  EXPECT_EQ(upstream->read_until("\n"), "PASS hunter2\n");
  EXPECT_EQ(journal().records(Kind::opaque).front().wire, "PASS *******\n");
  for (const auto& entry : journal().entries()) EXPECT_EQ(entry.payload.find("hunter2"), Buffer::npos);
}

TEST_F(RelayTest, ALaterLegIsADeliveryAndNotASecondMessage) {
  join();
  sign_in("alice");
  Peer bob = connect();
  Peer bobs_upstream = server.accept();
  bob.send("LOGIN bob\n");
  bobs_upstream.read_until("\n");
  client->send("MSG bob the secret plan\n");
  upstream->read_until("\n");
  bobs_upstream.send("FROM alice the ****** plan\nFROM mallory hi\n");
  EXPECT_EQ(bob.read_until("hi\n"), "FROM alice the ****** plan\nFROM mallory hi\n");
  ASSERT_TRUE(until_records(Kind::delivery, 1));
  const auto messages = journal().records(Kind::message);
  ASSERT_EQ(messages.size(), 2U);  // alice's, once; mallory's, whose first leg this is
  EXPECT_EQ(messages[1].read_from, Side::server);
  const auto deliveries = journal().records(Kind::delivery).front().deliveries;
  ASSERT_EQ(deliveries.size(), 1U);
  EXPECT_EQ(deliveries[0].to, "bob");
  EXPECT_EQ(journal().records()[deliveries[0].ref].event.texts.front().text, "the secret plan");
}

TEST_F(RelayTest, ADelayedCopyWithoutOriginalIsHistory) {
  join();
  sign_in();
  upstream->send("DELAYED carol long ago\n");
  EXPECT_EQ(client->read_until("\n"), "DELAYED carol long ago\n");
  EXPECT_EQ(journal().records(Kind::history).size(), 1U);
  EXPECT_EQ(journal().records(Kind::message).size(), 0U);
}

TEST_F(RelayTest, WhatWasRefusedAndComesAgainIsRefusedAgainAndNotRecordedTwice) {
  join();
  sign_in();
  upstream->send("FROM bob forbidden\nDELAYED bob forbidden\nFROM bob fine\n");
  EXPECT_EQ(client->read_until("fine\n"), "FROM bob fine\n");
  EXPECT_EQ(journal().records(Kind::message).size(), 2U);
  EXPECT_TRUE(journal().records(Kind::history).empty());
  EXPECT_EQ(stats().events.refused, 2U);
}

TEST_F(RelayTest, HistoryIsJudgedForItNeverWasBefore) {
  join();
  sign_in();
  upstream->send("DELAYED carol forbidden\nFROM carol after\n");
  EXPECT_EQ(client->read_until("\n"), "FROM carol after\n");
}

TEST_F(RelayTest, SequencesOfAConversationHaveNoHole) {
  join();
  sign_in();
  for (int i = 0; i < 50; ++i) client->send(fmt::format("MSG {} n{}\n", i % 2 == 0 ? "bob" : "carol", i));
  upstream->read_until("n49\n");
  std::map<ConversationId, std::uint64_t> next;
  for (const auto& entry : journal().entries()) {
    EXPECT_EQ(entry.conversation_sequence, next[entry.conversation]++);
    EXPECT_FALSE(entry.conversation.is_nil());
  }
  EXPECT_GE(next.size(), 3U);  // bob's, carol's, the connection's
}

TEST_F(RelayTest, CountersOfASessionAddUp) {
  join();
  sign_in();
  client->send("MSG bob a\nMSG bob forbidden\nMSG bob secret\n");
  upstream->read_until("******\n");
  client->shut_down();
  upstream->shut_down();
  ASSERT_TRUE(until_records(Kind::stream_close, 1));
  const Counters counters = *journal().records(Kind::stream_close).front().counters;
  EXPECT_EQ(counters, (Counters{.read = 4, .forwarded = 2, .redacted = 1, .refused = 1}));
}

TEST_F(RelayTest, ANoticeIsShownOnceAndRecorded) {
  policy = std::make_shared<CodePolicy>("r1", "You are recorded.");
  join();
  sign_in();
  EXPECT_EQ(client->read_until("\n"), "NOTICE You are recorded.\n");
  Peer again = connect();
  Peer again_upstream = server.accept();
  again.send("LOGIN alice\n");
  again_upstream.read_until("\n");
  again_upstream.send("ready\n");
  EXPECT_EQ(again.read_until("\n"), "ready\n");
  const auto shown = journal().records(Kind::notice_shown);
  ASSERT_EQ(shown.size(), 1U);
  EXPECT_EQ(shown.front().event.id, "signon:alice");
}

TEST_F(RelayTest, AProtocolErrorIsToldRecordedAndComesAfterWhatWasGood) {
  join();
  sign_in();
  client->send("MSG bob last words\nBAD\nMSG bob never\n");
  EXPECT_EQ(client->read_until("\n"), "BYE peer_error\n");
  EXPECT_EQ(upstream->read_to_end(), "MSG bob last words\n");
  EXPECT_EQ(journal().records(Kind::protocol_error).size(), 1U);
}

// ---- Back-pressure -------------------------------------------------------------------------------------------------

TEST_F(RelayTest, AJournalThatStandsStillStopsTheReading) {
  config.limits.pending_units_max = 16;
  config.limits.rate_units_per_second = 0;
  join();
  sign_in();
  journal().hold(true);
  std::thread sender([&] {
    for (int i = 0; i < 20'000; ++i) client->send("MSG bob " + std::string(1'000, 'x') + "\n");
    client->send("done\n");
  });
  // Far more than fits: what is read stays below the bound and one read.
  ASSERT_TRUE(until_records(Kind::message, 16));
  for (int i = 0; i < 50; ++i) on_loop([] {});
  EXPECT_LE(journal().records(Kind::message).size(), 16U + 2 * 64U);
  journal().hold(false);
  journal().let_all();
  std::size_t lines = 0;
  for (Buffer all; !all.ends_with("done\n");) {
    const Buffer more = upstream->read_some();
    if (more.empty()) break;
    lines += static_cast<std::size_t>(std::count(more.begin(), more.end(), '\n'));
    all = all.substr(all.size() > 5 ? all.size() - 5 : 0) + more;
  }
  sender.join();
  EXPECT_EQ(lines, 20'001U);
}

// What waited is written in one go: for the moment the queue is more than half full, but never was full.
TEST_F(RelayTest, AfterAWaitTheSideIsReadAgainThoughItsQueueWasNeverFull) {
  config.limits.pending_units_max = 4;
  config.limits.send_queue_bytes_max = 1'000;
  config.limits.send_stall_seconds = std::chrono::hours{1};
  config.limits.rate_units_per_second = 0;
  join();
  sign_in();
  journal().hold(true);
  std::string lines;
  for (int i = 0; i < 4; ++i) lines += "MSG bob " + std::string(180, 'x') + "\n";
  client->send(lines);
  ASSERT_TRUE(until_records(Kind::message, 4));
  on_loop([] {});
  journal().hold(false);
  journal().let_all();
  Buffer arrived;
  while (arrived.size() < lines.size()) arrived += upstream->read_some();
  EXPECT_EQ(arrived, lines);
  client->send("MSG bob after\n");
  EXPECT_TRUE(until_records(Kind::message, 5));
}

TEST_F(RelayTest, AFullJournalQueueLosesNothingAndKeepsTheOrder) {
  config.limits.rate_units_per_second = 0;
  join();
  sign_in();
  journal().hold(true);
  journal().full(3);
  for (int i = 0; i < 100; ++i) client->send(fmt::format("MSG bob n{}\n", i));
  std::string expected;
  for (int i = 0; i < 100; ++i) expected += fmt::format("MSG bob n{}\n", i);
  std::thread clock([&] {
    while (journal().records(Kind::message).size() < 100 || journal().durable_size() < journal().next_index())
      journal().let_all();
  });
  EXPECT_EQ(upstream->read_until("n99\n"), expected);
  clock.join();
  EXPECT_GT(stats().journal_full, 0U);
}

TEST_F(RelayTest, AClientThatNeverReadsHoldsABoundedAmount) {
  config.limits.send_queue_bytes_max = 256U << 10;
  join();
  sign_in();
  const std::string line = std::string(32'000, 'y') + "\n";
  std::atomic<std::size_t> sent = 0;
  std::thread sender([&] {
    try {
      for (int i = 0; i < 4'000; ++i) {  // 128 MB: no socket buffer takes that
        upstream->send(line);
        sent += line.size();
      }
    } catch (const std::runtime_error&) {  // the gateway went down at the end of the test
    }
  });
  std::size_t before = 0;
  int still = 0;
  ASSERT_TRUE(until([&] {  // until nothing moves any more
    still = sent == before ? still + 1 : 0;
    before = sent;
    return sent > (1U << 20) && still > 2'000;
  }));
  EXPECT_LT(sent.load(), 64U << 20);
  EXPECT_EQ(stats().connections, 1U);
  client->reset();
  sender.join();
}

TEST_F(RelayTest, APeerThatTakesNothingForTooLongIsCutOff) {
  config.limits.send_queue_bytes_max = 64U << 10;
  config.limits.send_stall_seconds = std::chrono::seconds(1);
  join();
  std::thread sender([&] {
    const std::string line = std::string(32'000, 'y') + "\n";
    try {
      for (int i = 0; i < 4'000; ++i) upstream->send(line);
    } catch (const std::runtime_error&) {
    }
  });
  EXPECT_TRUE(until([&] { return gateway->stats().stalled_ended == 1; }));
  sender.join();
}

TEST_F(RelayTest, TheRateHoldsAFloodBackAndLosesNothing) {
  config.limits.rate_units_per_second = 400;
  config.limits.rate_burst_units = 10;
  join();
  const auto start = std::chrono::steady_clock::now();
  std::string flood;
  for (int i = 0; i < 40; ++i) {
    client->send(fmt::format("line {}\n", i));
    upstream->read_until("\n");
  }
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(50));
}

// ---- Endings -------------------------------------------------------------------------------------------------------

TEST_F(RelayTest, AnUpstreamThatVanishesWithinAUnitIsToldAndRecorded) {
  join();
  sign_in();
  upstream->send("FROM bob hello\nFROM bob half a li");
  upstream->reset();
  EXPECT_EQ(client->read_to_end(), "FROM bob hello\nBYE upstream_lost\n");
  ASSERT_TRUE(until_records(Kind::stream_close, 1));
  EXPECT_EQ(journal().records(Kind::outage).size(), 1U);
}

TEST_F(RelayTest, AClientThatGoesTakesTheUpstreamConnectionWithItAfterItsLastWords) {
  join();
  sign_in();
  client->send("MSG bob bye\n");
  client->reset();
  EXPECT_EQ(upstream->read_to_end(), "MSG bob bye\n");
}

TEST_F(Bed, AnUpstreamThatIsDownIsTheProtocolsOwnErrorAndOneOutage) {
  {
    net::testing::Door gone;
    config.listeners[0].route.address.port = gone.port();
  }
  up();
  for (int i = 0; i < 2; ++i) {
    Peer client = connect();
    EXPECT_EQ(client.read_to_end(), "BYE upstream_unreachable\n");
  }
  EXPECT_EQ(journal().records(Kind::outage).size(), 1U);
  EXPECT_EQ(stats().upstream_unreachable, 2U);
}

TEST_F(RelayTest, ADrainDeliversWhatIsPendingSaysGoodbyeAndEnds) {
  join();
  sign_in();
  journal().hold(true);
  client->send("MSG bob last\n");
  ASSERT_TRUE(until_records(Kind::message, 1));
  gateway->stop();
  std::thread opener([&] {
    EXPECT_EQ(client->read_until("\n"), "BYE shutdown\n");
    client->shut_down();
  });
  journal().hold(false);
  journal().let_all();
  EXPECT_EQ(upstream->read_to_end(), "MSG bob last\n");
  upstream->shut_down();
  opener.join();
  EXPECT_TRUE(down());
  EXPECT_EQ(journal().records(Kind::stream_close).size(), 1U);
}

TEST_F(RelayTest, SomeoneWhoNeverSignsInIsSentAway) {
  config.limits.sign_in_seconds = std::chrono::seconds(0);
  up();
  Peer idle = connect();
  EXPECT_EQ(idle.read_to_end(), "BYE idle\n");
}

TEST_F(RelayTest, TooManyConnectionsAreToldSo) {
  config.limits.connections_max = 1;
  join();
  sign_in();
  Peer second = connect();
  EXPECT_EQ(second.read_to_end(), "BYE overloaded\n");
  client->send("still here\n");
  EXPECT_EQ(upstream->read_until("\n"), "still here\n");
}

TEST_F(RelayTest, OneAddressHasItsOwnBound) {
  config.limits.connections_per_address_max = 1;
  join();
  {
    Peer second = connect();
    EXPECT_EQ(second.read_to_end(), "BYE overloaded\n");
  }
  client->reset();
  upstream.reset();
  ASSERT_TRUE(until([&] { return gateway->stats().connections == 0; }));
  Peer third = connect();
  Peer third_upstream = server.accept();
  third.send("in\n");
  EXPECT_EQ(third_upstream.read_until("\n"), "in\n");
}

// ---- Journal failure -----------------------------------------------------------------------------------------------

TEST_F(RelayTest, RefuseForwardsNothingThatIsNotRecordedAndStopsTheProcess) {
  join();
  sign_in();
  journal().hold(true);
  client->send("MSG bob unsafe\n");
  ASSERT_TRUE(until_records(Kind::message, 1));
  journal().fail();
  EXPECT_EQ(client->read_to_end(), "BYE not_recorded\n");
  EXPECT_EQ(upstream->read_to_end(), "");
  client.reset();
  upstream.reset();
  EXPECT_FALSE(down());
}

TEST_F(RelayTest, ForwardAndAlarmGoesOnUnrecordedAndCounts) {
  config.listeners[0].on_journal_failure = OnJournalFailure::forward_and_alarm;
  join();
  sign_in();
  journal().hold(true);
  client->send("MSG bob one\n");
  ASSERT_TRUE(until_records(Kind::message, 1));
  journal().fail();
  EXPECT_EQ(upstream->read_until("\n"), "MSG bob one\n");
  client->send("MSG bob two\n");
  EXPECT_EQ(upstream->read_until("\n"), "MSG bob two\n");
  EXPECT_GE(stats().unrecorded, 1U);
}

// ---- TLS, PROXY, reload --------------------------------------------------------------------------------------------

TEST_F(Bed, DirectTlsOnBothSides) {
  config.listeners[0].tls = Tls::direct;
  config.listeners[0].route.tls = Tls::direct;
  up();
  Peer client = connect();
  std::string seen;
  std::thread upstream_thread([&] {
    Peer upstream = server.accept();
    upstream.start_tls_server(certificate);
    seen = upstream.read_until("\n");
    upstream.send("FROM bob hi\n");
    upstream.read_to_end();
  });
  client.start_tls_client("localhost", certificate.chain);
  client.send("LOGIN alice\n");
  EXPECT_EQ(client.read_until("\n"), "FROM bob hi\n");
  client.shut_down();
  upstream_thread.join();
  EXPECT_EQ(seen, "LOGIN alice\n");
}

TEST_F(Bed, AnUpstreamThatIsNotTrustedIsNotUsed) {
  config.listeners[0].route.tls = Tls::direct;
  const auto other = net::testing::make_certificate(folder.path(), "localhost", "other");
  up();
  Peer client = connect();
  Peer upstream = server.accept();
  EXPECT_THROW(upstream.start_tls_server(other), std::runtime_error);
  EXPECT_EQ(client.read_to_end(), "BYE upstream_unreachable\n");
}

TEST_F(RelayTest, StartTlsOfTheClientInTheMiddle) {
  config.listeners[0].tls = Tls::starttls;
  join();
  client->send("STARTTLS\n");
  EXPECT_EQ(client->read_until("\n"), "OK\n");
  client->start_tls_client("localhost", certificate.chain);
  client->send("LOGIN alice\n");
  EXPECT_EQ(upstream->read_until("\n"), "LOGIN alice\n");
}

TEST_F(Bed, AHandshakeThatNeverEndsIsEnded) {
  config.listeners[0].tls = Tls::direct;
  config.limits.handshake_seconds = std::chrono::seconds(1);
  up();
  Peer client = connect();
  client.send("\x16\x03\x01");
  EXPECT_EQ(client.read_to_end(), "");
  EXPECT_EQ(stats().handshakes_failed, 1U);
}

TEST_F(Bed, ProxyHeadersGoInAndOut) {
  config.listeners[0].proxy_protocol = {.in = true, .out = true};
  up();
  Peer client = connect();
  const Buffer header =
      net::make_proxy_header(*net::Address::parse("192.0.2.7", 4711), *net::Address::parse("192.0.2.1", 5222));
  client.send(header.substr(0, 9));
  client.send(header.substr(9) + "LOGIN alice\n");
  Peer upstream = server.accept();
  const Buffer seen = upstream.read_until("alice\n");
  const auto told = net::parse_proxy_header(seen);
  ASSERT_TRUE(told && *told);
  EXPECT_EQ((*told)->client->to_string(), "192.0.2.7:4711");
  EXPECT_EQ(seen.substr((*told)->size), "LOGIN alice\n");
  EXPECT_EQ(journal().records(Kind::stream_open).front().event.detail, "192.0.2.7:4711");
}

TEST_F(Bed, ProxyHeaderThenTls) {
  config.listeners[0].proxy_protocol.in = true;
  config.listeners[0].tls = Tls::direct;
  up();
  Peer client = connect();
  client.send(net::make_proxy_header(*net::Address::parse("192.0.2.7", 1), *net::Address::parse("192.0.2.1", 2)));
  client.start_tls_client("localhost", certificate.chain);
  Peer upstream = server.accept();
  client.send("over\n");
  EXPECT_EQ(upstream.read_until("\n"), "over\n");
}

TEST_F(RelayTest, AReloadChangesPolicyAndCertificateAndDropsNobody) {
  config.listeners[0].tls = Tls::starttls;
  join();
  sign_in();
  Config next = config;
  const auto renewed = net::testing::make_certificate(folder.path(), "renewed.test", "renewed");
  next.listeners[0].certificate = {Certificate::Source::file, renewed.chain, renewed.key};
  gateway->reload(next, std::make_shared<CodePolicy>("r2"));
  ASSERT_TRUE(until_records(Kind::policy_change, 1));
  client->send("MSG bob after\n");
  EXPECT_EQ(upstream->read_until("\n"), "MSG bob after\n");
  EXPECT_EQ(journal().records(Kind::message).front().decision.policy_revision, "r2");
  Peer fresh = connect();
  Peer fresh_upstream = server.accept();
  fresh.send("STARTTLS\n");
  fresh.read_until("\n");
  fresh.start_tls_client("renewed.test", renewed.chain);
  EXPECT_EQ(fresh.peer_common_name(), "renewed.test");
}

TEST_F(RelayTest, ABadReloadIsRefusedWhole) {
  config.listeners[0].tls = Tls::starttls;
  join();
  sign_in();
  Config next = config;
  next.limits.connections_max = 0;
  Listener extra = config.listeners[0];
  extra.name = "extra";
  extra.certificate.chain = folder.path() / "missing.crt";
  next.listeners.push_back(extra);
  gateway->reload(next, std::make_shared<CodePolicy>("r2"));
  ASSERT_TRUE(until([&] { return gateway->stats().reloads_refused == 1; }));
  client->send("MSG bob after\n");
  EXPECT_EQ(upstream->read_until("\n"), "MSG bob after\n");
  EXPECT_EQ(journal().records(Kind::message).front().decision.policy_revision, "r1");
  const Peer still = connect();
  EXPECT_EQ(gateway->stats().over_limit, 0U);
}

TEST_F(RelayTest, AReloadOpensAndClosesListeners) {
  join();
  Config next = config;
  next.listeners[0].name = "other";
  gateway->reload(next, std::make_shared<CodePolicy>("r1"));
  ASSERT_TRUE(until([&] { return gateway->stats().reloads == 1; }));
  client->send("old session\n");
  EXPECT_EQ(upstream->read_until("\n"), "old session\n");
  on_loop([&] { EXPECT_EQ(gateway->port("line"), 0); });
  Peer fresh = connect("other");
  Peer fresh_upstream = server.accept();
  fresh.send("new\n");
  EXPECT_EQ(fresh_upstream.read_until("\n"), "new\n");
}

}  // namespace
}  // namespace chancery::gateway::testing
