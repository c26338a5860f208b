#include <fstream>
#include <gtest/gtest.h>

#include "event/record.h"
#include "event/testing/samples.h"

namespace chancery {
namespace {

using namespace testing;

constexpr std::string_view kLog = "site/node/00000001-9f3ac2d1";

std::vector<std::string> golden(const std::string& name) {
  std::ifstream in(std::string{CHANCERY_TESTDATA} + "/" + name + ".jsonl");
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(JsonLines, AChatMessageIsItsGoldenLine) { EXPECT_EQ(to_json(chat_message(), kLog, 7), golden("v1-chat")); }
TEST(JsonLines, AFullMessageIsItsGoldenLine) { EXPECT_EQ(to_json(full_message(), kLog, 8), golden("v1-full")); }
TEST(JsonLines, DeliveriesAreOneLineEach) { EXPECT_EQ(to_json(two_deliveries(), kLog, 9), golden("v1-deliveries")); }
TEST(JsonLines, WhatASensorSawSaysSo) { EXPECT_EQ(to_json(seen_message(), kLog, 11), golden("v1-seen")); }
TEST(JsonLines, ASessionsEndHasItsCounters) { EXPECT_EQ(to_json(session_end(), kLog, 10), golden("v1-end")); }

TEST(JsonLines, TheKeysThatAreAlwaysThereAreThereInAnEmptyRecord) {
  const auto lines = to_json(Record{}, kLog, 0);
  ASSERT_EQ(lines.size(), 1U);
  for (const auto* key :
       {"log",     "index",       "time",      "protocol", "network", "direction", "conversation", "kind",
        "id",      "ref",         "from",      "to",       "text",    "verdict",   "rule",         "policy_revision",
        "session", "person_from", "person_to", "seen_by"})
    EXPECT_NE(lines[0].find("\"" + std::string{key} + "\":"), std::string::npos) << key;
}

TEST(JsonLines, ASignInSaysWhetherItWasAccepted) {
  Record record;
  record.event.kind = Kind::sign_in;
  EXPECT_NE(to_json(record, kLog, 0)[0].find("\"accepted\":true"), std::string::npos);
  record.event.accepted = false;
  EXPECT_NE(to_json(record, kLog, 0)[0].find("\"accepted\":false"), std::string::npos);
}

TEST(JsonLines, ATopicsTextIsItsSubject) {
  Record record;
  record.event.kind = Kind::topic;
  record.event.texts = {{TextPart::Role::subject, "", "Tea", {}}};
  EXPECT_NE(to_json(record, kLog, 0)[0].find("\"text\":\"Tea\""), std::string::npos);
}

TEST(JsonLines, NoLineBreakEverStandsInALine) {
  Record record = chat_message();
  record.event.texts[0].text = "a\nb\r\nc\xe2\x80\xa8";
  record.event.from = "\n";
  for (const auto& line : to_json(record, kLog, 0)) EXPECT_EQ(line.find_first_of("\n\r"), std::string::npos);
}

}  // namespace
}  // namespace chancery
