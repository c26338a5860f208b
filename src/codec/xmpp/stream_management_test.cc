#include "codec/xmpp/stream_management.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <random>

namespace chancery::xmpp {
namespace {

Limits limits_of(std::uint32_t unacked_max) {
  Limits limits;
  limits.unacked_max = unacked_max;
  return limits;
}

// --- one direction ---------------------------------------------------------------------------------------------------

TEST(Ledger, CountsAgreeWhileEverythingPasses) {
  Ledger ledger{Limits{}};
  for (int i = 0; i < 5; ++i) ledger.pass();
  EXPECT_EQ(ledger.acknowledge(3), 3U);
  EXPECT_EQ(ledger.acknowledge(3), 3U);
  EXPECT_EQ(ledger.acknowledge(5), 5U);
}

TEST(Ledger, ADroppedStanzaIsAcknowledgedInItsPlaceAndNotBefore) {
  Ledger ledger{Limits{}};
  ledger.pass();
  ASSERT_TRUE(ledger.drop());
  ledger.pass();
  ASSERT_TRUE(ledger.drop());
  EXPECT_EQ(ledger.acknowledge(0), 0U);
  EXPECT_EQ(ledger.acknowledge(1), 2U);
  EXPECT_EQ(ledger.acknowledge(2), 4U);
}

TEST(Ledger, AnAcknowledgementRepeatedAfterADropCoversTheDrop) {
  Ledger ledger{Limits{}};
  ledger.pass();
  EXPECT_EQ(ledger.acknowledge(1), 1U);
  ASSERT_TRUE(ledger.drop());
  ASSERT_TRUE(ledger.drop());
  EXPECT_EQ(ledger.acknowledge(1), 3U);
}

TEST(Ledger, AnAddedStanzaRaisesTheReceiversCountOnly) {
  Ledger ledger{Limits{}};
  ASSERT_TRUE(ledger.add("<message/>"));
  ledger.pass();
  ASSERT_TRUE(ledger.add("<message/>"));
  EXPECT_EQ(ledger.acknowledge(1), 0U);
  EXPECT_EQ(ledger.acknowledge(2), 1U);
  EXPECT_EQ(ledger.acknowledge(3), 1U);
  EXPECT_EQ(ledger.delivered(), 3U);
  EXPECT_EQ(ledger.sent(), 1U);
}

TEST(Ledger, ADropBehindAnAddedStanzaDoesNotWaitForIt) {
  Ledger ledger{Limits{}};
  ledger.pass();
  ASSERT_TRUE(ledger.add("a"));
  ASSERT_TRUE(ledger.drop());
  ASSERT_TRUE(ledger.add("b"));
  ASSERT_TRUE(ledger.drop());
  ledger.pass();
  ASSERT_TRUE(ledger.drop());
  EXPECT_EQ(ledger.acknowledge(1), 3U);
  EXPECT_EQ(ledger.acknowledge(3), 3U);
  EXPECT_EQ(ledger.acknowledge(4), 5U);
}

TEST(Ledger, ACountOfWhatWasNeverSentIsAnError) {
  Ledger ledger{Limits{}};
  ledger.pass();
  ASSERT_TRUE(ledger.drop());
  EXPECT_FALSE(ledger.acknowledge(2));
  EXPECT_EQ(ledger.acknowledge(1), 2U);
  EXPECT_FALSE(ledger.acknowledge(0)) << "an acknowledgement cannot be taken back";
  std::vector<Buffer> again;
  EXPECT_FALSE(ledger.rewind(3, again));
}

TEST(Ledger, CountersWrap) {
  Ledger ledger{Limits{}, 0xffff'fffeU};
  ledger.pass();
  ASSERT_TRUE(ledger.drop());
  ledger.pass();
  ASSERT_TRUE(ledger.add("a"));
  EXPECT_EQ(ledger.acknowledge(0xffff'ffffU), 0U);
  EXPECT_EQ(ledger.acknowledge(0), 1U);
  EXPECT_EQ(ledger.acknowledge(1), 1U);
}

TEST(Ledger, ARewindForgetsWhatDidNotArriveAndGivesBackWhatWasAdded) {
  Ledger ledger{Limits{}};
  ASSERT_TRUE(ledger.add("one"));
  ledger.pass();
  ASSERT_TRUE(ledger.add("two"));
  ledger.pass();
  ASSERT_TRUE(ledger.drop());
  ASSERT_TRUE(ledger.add("three"));
  std::vector<Buffer> again;
  EXPECT_EQ(ledger.rewind(2, again), 1U);
  EXPECT_EQ(again, (std::vector<Buffer>{"two", "three"}));
  EXPECT_EQ(ledger.repeats(), 2U);
  EXPECT_EQ(ledger.delivered(), 2U);
  EXPECT_EQ(ledger.sent(), 1U);
  ledger.pass();
  EXPECT_EQ(ledger.repeats(), 1U);
  again.clear();
  EXPECT_EQ(ledger.rewind(2, again), 1U) << "and once more, before all was sent again";
  EXPECT_EQ(ledger.repeats(), 2U);
}

TEST(Ledger, WhatIsRememberedIsBounded) {
  Ledger ledger{limits_of(3)};
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(ledger.drop()) << "drops in a row are one place";
  ledger.pass();
  ASSERT_TRUE(ledger.drop());
  ASSERT_TRUE(ledger.add("a"));
  EXPECT_FALSE(ledger.add("b"));
  EXPECT_FALSE(ledger.drop());
  EXPECT_EQ(ledger.acknowledge(1), 102U);
  EXPECT_TRUE(ledger.drop());

  Ledger octets{Limits{}};
  const Buffer big(Ledger::kKeptOctetsMax / 2, 'x');
  EXPECT_TRUE(octets.add(big));
  EXPECT_TRUE(octets.add(big));
  EXPECT_FALSE(octets.add("x"));
  EXPECT_EQ(octets.acknowledge(1), 0U);
  EXPECT_TRUE(octets.add("x"));
}

TEST(Ledger, AsksForAnAcknowledgementNowAndThen) {
  Ledger ledger{Limits{}};
  for (std::size_t i = 0; i < Ledger::kRequestEvery; ++i) {
    EXPECT_FALSE(ledger.wants_request());
    ASSERT_TRUE(ledger.add("a"));
  }
  EXPECT_TRUE(ledger.wants_request());
  EXPECT_FALSE(ledger.wants_request());
}

// The same by going through everything that ever happened.
class Plain {
 public:
  enum class What { pass, drop, add };
  void note(What what) { log_.push_back(what); }
  std::uint32_t acknowledge(std::uint32_t h) const { return walk(h, nullptr); }
  std::uint32_t rewind(std::uint32_t h) {
    std::vector<What> kept;
    const std::uint32_t count = walk(h, &kept);
    log_ = kept;
    return count;
  }
  std::uint32_t delivered() const {
    return static_cast<std::uint32_t>(std::count_if(log_.begin(), log_.end(), [](What w) { return w != What::drop; }));
  }

 private:
  // The most of the sender's stanzas, so that each that passed is among the receiver's first `h`.
  std::uint32_t walk(std::uint32_t h, std::vector<What>* kept) const {
    std::uint32_t sent = 0;
    std::uint32_t delivered = 0;
    for (const What what : log_) {
      if (what == What::pass && delivered >= h) break;
      sent += what != What::add;
      delivered += what != What::drop;
      if (kept && (what == What::drop || delivered <= h)) kept->push_back(what);
    }
    return sent;
  }
  std::vector<What> log_;
};

TEST(Ledger, AgreesWithGoingThroughEverything) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const std::uint32_t first = seed % 2 == 0 ? 0 : 0xffff'fff0U;
    Ledger ledger{Limits{}, first};
    Plain plain;
    std::uint32_t h = 0;
    for (int step = 0; step < 400; ++step) {
      switch (random() % 6) {
        case 0:
        case 1:
          ledger.pass();
          plain.note(Plain::What::pass);
          break;
        case 2:
          ASSERT_TRUE(ledger.drop());
          plain.note(Plain::What::drop);
          break;
        case 3:
          ASSERT_TRUE(ledger.add("x"));
          plain.note(Plain::What::add);
          break;
        default: {
          h += static_cast<std::uint32_t>(random() % (plain.delivered() - h + 1));
          std::vector<Buffer> again;
          const bool cut = random() % 8 == 0;
          const auto told = cut ? ledger.rewind(first + h, again) : ledger.acknowledge(first + h);
          ASSERT_EQ(told, first + (cut ? plain.rewind(h) : plain.acknowledge(h)));
          ASSERT_EQ(ledger.delivered(), first + plain.delivered());
        }
      }
    }
  }
}

// --- both directions -------------------------------------------------------------------------------------------------

TEST(StreamManagement, NothingCountsBeforeItIsEnabled) {
  StreamManagement management{Limits{}};
  management.pass(Side::client);
  EXPECT_TRUE(management.drop(Side::client));
  EXPECT_TRUE(management.add(Side::client, "a"));
  management.enable_sent();
  EXPECT_TRUE(management.drop(Side::client));  // after <enable/>: the client counts
  EXPECT_TRUE(management.add(Side::client, "b"));
  EXPECT_FALSE(management.active());
  management.enabled();
  EXPECT_TRUE(management.active());
  EXPECT_TRUE(management.add(Side::client, "c"));
  EXPECT_EQ(management.acknowledge(Side::server, 0), 1U);
  EXPECT_EQ(management.acknowledge(Side::client, 1), 0U);
  EXPECT_FALSE(management.acknowledge(Side::client, 2));
}

TEST(StreamManagement, WithoutItCountsPassAsTheyAre) {
  StreamManagement management{Limits{}};
  EXPECT_EQ(management.acknowledge(Side::client, 7), 7U);
  management.enable_sent();
  management.stop();
  EXPECT_TRUE(management.drop(Side::client));
  EXPECT_EQ(management.acknowledge(Side::server, 7), 7U);
  EXPECT_FALSE(management.resume(0));
  EXPECT_FALSE(management.resumed(0));
}

TEST(StreamManagement, AResumptionSendsAgainWhatWasAdded) {
  StreamManagement management{Limits{}};
  management.enable_sent();
  management.enabled();
  management.pass(Side::client);
  ASSERT_TRUE(management.drop(Side::client));
  ASSERT_TRUE(management.add(Side::client, "refusal"));
  ASSERT_TRUE(management.add(Side::server, "answer"));
  management.pass(Side::server);
  EXPECT_EQ(management.resume(0), 0U);
  EXPECT_EQ(management.resume(0), 0U) << "the connection broke before <resumed/>";
  const auto resumed = management.resumed(1);
  ASSERT_TRUE(resumed);
  EXPECT_EQ(resumed->h, 2U);
  EXPECT_EQ(resumed->to_client, std::vector<Buffer>{"refusal"});
  EXPECT_EQ(resumed->to_server, std::vector<Buffer>{"answer"});
  EXPECT_EQ(management.repeats(Side::server), 1U);
  EXPECT_EQ(management.repeats(Side::client), 0U);
  EXPECT_EQ(management.acknowledge(Side::client, 1), 0U);
  EXPECT_EQ(management.acknowledge(Side::server, 2), 2U);
}

TEST(StreamManagement, AFailedResumptionStillTellsWhatArrived) {
  StreamManagement management{Limits{}};
  management.enable_sent();
  management.enabled();
  management.pass(Side::client);
  ASSERT_TRUE(management.drop(Side::client));
  EXPECT_EQ(management.resume(0), 0U);
  EXPECT_EQ(management.resume_failed(1), 2U);
  EXPECT_FALSE(management.active());
  EXPECT_EQ(management.acknowledge(Side::server, 5), 5U);
}

// --- the store -------------------------------------------------------------------------------------------------------

std::shared_ptr<ManagedSession> session_of(std::string own) {
  auto session = std::make_shared<ManagedSession>(Limits{});
  session->own = own;
  session->own_full = own + "/x";
  session->management.enable_sent();
  session->management.enabled();
  return session;
}

TEST(ResumptionStore, GivesBackWhatWasLeft) {
  ResumptionStore store;
  const auto session = session_of("a@x");
  session->management.pass(Side::client);
  ASSERT_TRUE(session->management.drop(Side::client));
  store.attach("id", session);
  store.detach("id", session, from_unix_ns(100));
  const auto taken = store.take("id", "a@x", from_unix_ns(99));
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->own_full, "a@x/x");
  EXPECT_EQ(taken->management.acknowledge(Side::server, 1), 2U);
  store.detach("id", taken, from_unix_ns(200));
  EXPECT_EQ(store.size(), 1U) << "the new connection may break as well";
}

TEST(ResumptionStore, UnknownExpiredForgottenAndForeignAreRefused) {
  ResumptionStore store;
  const auto session = session_of("a@x");
  EXPECT_FALSE(store.take("id", "a@x", from_unix_ns(0)));
  store.attach("id", session);
  EXPECT_FALSE(store.take("id", "b@x", from_unix_ns(0)));
  store.detach("id", session, from_unix_ns(100));
  EXPECT_FALSE(store.take("id", "a@x", from_unix_ns(100)));
  EXPECT_EQ(store.size(), 0U);
  store.attach("id", session);
  store.forget("id", session);
  EXPECT_FALSE(store.take("id", "a@x", from_unix_ns(0)));
}

TEST(ResumptionStore, AnOldConnectionLosesTheSessionToANewOne) {
  ResumptionStore store;
  const auto old = session_of("a@x");
  ASSERT_TRUE(old->management.drop(Side::client));
  store.attach("id", old);
  const auto taken = store.take("id", "a@x", from_unix_ns(0));
  ASSERT_TRUE(taken);
  EXPECT_NE(taken, old);
  EXPECT_EQ(taken->management.acknowledge(Side::server, 0), 1U);
  EXPECT_FALSE(old->management.acknowledge(Side::server, 0));
  store.detach("id", old, from_unix_ns(1));
  store.forget("id", old);
  EXPECT_TRUE(store.take("id", "a@x", from_unix_ns(50))) << "the old one no longer has a say";
}

TEST(ResumptionStore, RemembersABoundedNumber) {
  ResumptionStore store{2};
  std::map<std::string, std::shared_ptr<ManagedSession>> sessions;
  for (const std::string id : {"a", "b", "c", "d"}) {
    sessions[id] = session_of(id);
    store.attach(id, sessions[id]);
  }
  store.detach("a", sessions["a"], from_unix_ns(30));
  store.detach("b", sessions["b"], from_unix_ns(10));
  store.detach("c", sessions["c"], from_unix_ns(20));
  EXPECT_FALSE(store.take("b", "b", from_unix_ns(0))) << "it would have expired first";
  EXPECT_TRUE(store.take("a", "a", from_unix_ns(0)));
  EXPECT_TRUE(store.take("c", "c", from_unix_ns(0)));
  EXPECT_TRUE(store.take("d", "d", from_unix_ns(0)));
  EXPECT_GT(store.memory(), 3 * sizeof(ManagedSession));
}

}  // namespace
}  // namespace chancery::xmpp
