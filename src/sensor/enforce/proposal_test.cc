#include "sensor/enforce/proposal.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sensor/enforce/testing.h"

namespace chancery::sensor {
namespace {

using testing::at;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Row;
using testing::seen;

std::vector<std::string> targets(const Proposals& proposals) {
  std::vector<std::string> out;
  for (const BlockEntry& entry : proposals.entries) out.push_back(entry.target.text());
  return out;
}

std::string why(const Proposals& proposals, std::string_view target) {
  for (const Withheld& withheld : proposals.withheld)
    if (withheld.target.text() == target) return withheld.why;
  return "";
}

TEST(Proposal, AnAddressThatServedNothingElse) {
  const std::vector<Seen> traffic{seen({.flows = 3}), seen({.client = "10.0.0.6"})};
  const Proposals proposals = propose(traffic, {}, at(5'000));
  ASSERT_THAT(targets(proposals), ElementsAre("198.51.100.7"));
  const BlockEntry& entry = proposals.entries[0];
  EXPECT_EQ(entry.state, BlockState::proposed);
  EXPECT_EQ(entry.application, "Jabber");
  EXPECT_EQ(entry.flows, 4U);
  EXPECT_THAT(entry.clients, ElementsAre("10.0.0.5", "10.0.0.6"));
  EXPECT_EQ(entry.first_seen, at(1'000));
  EXPECT_EQ(entry.last_seen, at(2'000));
  EXPECT_THAT(entry.reason, HasSubstr("payload: Jabber"));
  EXPECT_THAT(entry.reason, HasSubstr("4 flows of 2 clients"));
}

// The messenger and the vendor's update server share an address.
TEST(Proposal, TheUpdateServerStays) {
  const std::vector<Seen> traffic{seen({.port = 443, .application = "MSN", .host = "messenger.example.com"}),
                                  seen({.port = 443, .application = "MSN"}),
                                  seen({.client = "10.0.0.9",
                                        .port = 443,
                                        .application = "TLS",
                                        .category = Category::other,
                                        .host = "update.example.com"})};
  const Proposals proposals = propose(traffic, {}, at(5'000));
  EXPECT_THAT(targets(proposals), ElementsAre("messenger.example.com"));
  EXPECT_THAT(why(proposals, "198.51.100.7"), HasSubstr("update.example.com"));
}

TEST(Proposal, ANameLearnedFromDnsAloneProtectsTheAddressToo) {
  const std::vector<Seen> traffic{
      seen({.port = 1863, .application = "MSN"}),
      seen({.port = 0, .application = "", .category = Category::other, .host = "update.example.com", .flows = 0})};
  const Proposals proposals = propose(traffic, {}, at(5'000));
  EXPECT_THAT(targets(proposals), ElementsAre("tcp/198.51.100.7:1863"));
  EXPECT_THAT(why(proposals, "198.51.100.7"), HasSubstr("update.example.com"));
}

TEST(Proposal, APortOfItsOwnIsFineAtASharedAddress) {
  const std::vector<Seen> traffic{seen({}), seen({.port = 80, .application = "HTTP", .category = Category::other})};
  EXPECT_THAT(targets(propose(traffic, {}, at(5'000))), ElementsAre("tcp/198.51.100.7:5222"));
}

TEST(Proposal, AWebPortOfASharedAddressIsNot) {
  const std::vector<Seen> traffic{seen({.port = 443}),
                                  seen({.port = 80, .application = "HTTP", .category = Category::other})};
  EXPECT_THAT(targets(propose(traffic, {}, at(5'000))), IsEmpty());
}

TEST(Proposal, UnnamedTrafficIsInnocent) {
  const std::vector<Seen> traffic{seen({}), seen({.port = 9'999, .application = "", .category = Category::other})};
  EXPECT_THAT(targets(propose(traffic, {}, at(5'000))), ElementsAre("tcp/198.51.100.7:5222"));
}

TEST(Proposal, WhatIsManagedOrAllowedIsNot) {
  const std::vector<Seen> traffic{seen({.managed = true}), seen({.server = "198.51.100.8", .application = "Slack"}),
                                  seen({.server = "198.51.100.9", .application = "SIP", .category = Category::voip})};
  BlockWish wish;
  wish.allowed_applications.insert("Slack");
  EXPECT_THAT(targets(propose(traffic, wish, at(5'000))), IsEmpty());
}

TEST(Proposal, ANameAboveAWantedOneIsWithheld) {
  const std::vector<Seen> traffic{seen({.port = 443, .application = "WhatsApp", .host = "example.com"}),
                                  seen({.server = "198.51.100.9",
                                        .port = 443,
                                        .application = "TLS",
                                        .category = Category::other,
                                        .host = "shop.example.com"})};
  const Proposals proposals = propose(traffic, {}, at(5'000));
  EXPECT_THAT(targets(proposals), IsEmpty());
  EXPECT_THAT(why(proposals, "example.com"), HasSubstr("shop.example.com"));
}

TEST(Proposal, ANameOfTwoApplicationsIsWithheld) {
  const std::vector<Seen> traffic{seen({.port = 443, .application = "Skype", .host = "login.example.com"}),
                                  seen({.port = 443, .application = "Teams", .host = "login.example.com"})};
  EXPECT_THAT(targets(propose(traffic, {}, at(5'000))), IsEmpty());
}

TEST(Proposal, NamesThatAreNoNamesNeverAre) {
  const std::vector<Seen> traffic{seen({.port = 443, .host = "evil.example\n0.0.0.0 bank.example"})};
  for (const std::string& target : targets(propose(traffic, {}, at(5'000)))) EXPECT_EQ(target, "198.51.100.7");
}

TEST(Proposal, AnInsideAddressIsNeverBlockedWhole) {
  const std::vector<Seen> traffic{seen({.server = "10.0.0.80", .port = 6667, .application = "IRC"})};
  EXPECT_THAT(targets(propose(traffic, {}, at(5'000))), ElementsAre("tcp/10.0.0.80:6667"));
}

TEST(Proposal, OfACallFromOutsideTheCallerIsTheStranger) {
  const std::vector<Seen> traffic{seen({.client = "203.0.113.5",
                                        .server = "10.0.0.80",
                                        .port = 6881,
                                        .application = "BitTorrent",
                                        .category = Category::p2p})};
  EXPECT_THAT(targets(propose(traffic, {}, at(5'000))), ElementsAre("203.0.113.5"));
}

TEST(Proposal, APortThatServedOnlyTheUnwantedAtSeveralServers) {
  std::vector<Seen> traffic;
  for (const char* server : {"198.51.100.1", "198.51.100.2", "198.51.100.3"})
    traffic.push_back(seen({.server = server, .port = 1863, .application = "MSN"}));
  EXPECT_THAT(targets(propose(traffic, {}, at(5'000))), ::testing::Contains("tcp/1863"));
  traffic.push_back(seen({.server = "198.51.100.4", .port = 1863, .application = "", .category = Category::other}));
  EXPECT_THAT(targets(propose(traffic, {}, at(5'000))), ::testing::Not(::testing::Contains("tcp/1863")));
}

TEST(Proposal, NeverMeansNever) {
  BlockWish wish;
  wish.never_names = {"example.com"};
  wish.never_addresses = {*Network::parse("198.51.100.0/24")};
  const std::vector<Seen> traffic{seen({.port = 443, .host = "chat.example.com"}), seen({})};
  EXPECT_THAT(targets(propose(traffic, wish, at(5'000))), IsEmpty());
}

TEST(Simulation, CountsTheInnocent) {
  const std::vector<Seen> traffic{seen({.flows = 2}),
                                  seen({.client = "10.0.0.9",
                                        .port = 443,
                                        .application = "TLS",
                                        .category = Category::other,
                                        .host = "update.example.com",
                                        .flows = 5}),
                                  seen({.server = "198.51.100.99"})};
  const Hit hit = simulate(*BlockTarget::parse("198.51.100.7"), traffic, {});
  EXPECT_EQ(hit.flows, 7U);
  EXPECT_EQ(hit.innocent_flows, 5U);
  EXPECT_THAT(hit.applications, ElementsAre("Jabber"));
  EXPECT_THAT(hit.innocent_names, ElementsAre("TLS update.example.com"));
  EXPECT_THAT(hit.clients, ElementsAre("10.0.0.5", "10.0.0.9"));
  EXPECT_EQ(simulate(*BlockTarget::parse("example.com"), traffic, {}).flows, 5U);
  EXPECT_EQ(simulate(*BlockTarget::parse("tcp/198.51.100.7:5222"), traffic, {}).flows, 2U);
  EXPECT_EQ(simulate(*BlockTarget::parse("tcp/5222"), traffic, {}).flows, 3U);
  EXPECT_EQ(simulate(*BlockTarget::parse("udp/5222"), traffic, {}).flows, 0U);
}

// Whatever is proposed from any mixture of rows, its simulation over the same rows hits nothing innocent.
TEST(Proposal, NeverHitsTheInnocentOfTheSameTraffic) {
  std::uint32_t state = 7;
  const auto pick = [&](std::uint32_t n) {
    state = state * 1'664'525U + 1'013'904'223U;
    return (state >> 16U) % n;
  };
  const std::vector<std::string> hosts{"", "a.example", "b.a.example", "c.example", "d.c.example"};
  const std::vector<std::string> applications{"", "MSN", "Jabber", "HTTP"};
  for (int round = 0; round < 2'000; ++round) {
    std::vector<Seen> traffic;
    for (std::uint32_t i = 0, n = 1 + pick(8); i < n; ++i) {
      const std::string application = applications[pick(4)];
      const bool chat = application == "MSN" || application == "Jabber";
      traffic.push_back(seen({.client = "10.0.0." + std::to_string(pick(3)),
                              .server = (pick(5) == 0 ? "10.0.1." : "198.51.100.") + std::to_string(pick(3)),
                              .port = static_cast<std::uint16_t>(pick(2) == 0 ? 443 : 5'222),
                              .application = application,
                              .category = chat ? Category::im : Category::other,
                              .host = hosts[pick(5)],
                              .managed = pick(9) == 0}));
    }
    for (const BlockEntry& entry : propose(traffic, {}, at(5'000)).entries)
      ASSERT_EQ(simulate(entry.target, traffic, {}).innocent_flows, 0U) << entry.target.text() << " in round " << round;
  }
}

}  // namespace
}  // namespace chancery::sensor
