#include <array>

#include "policy/parse_parts.h"

namespace chancery::policy {
namespace {

using namespace std::string_view_literals;

constexpr std::array kKeys = {"kind"sv,     "direction"sv, "from"sv,    "to"sv,   "room"sv,      "present"sv,
                              "protocol"sv, "network"sv,   "account"sv, "time"sv, "text"sv,      "subject"sv,
                              "xhtml"sv,    "file"sv,      "expect"sv,  "rule"sv, "delivered"sv, "notices"sv};
constexpr std::array kKinds = {"message"sv,    "edit"sv, "topic"sv,   "reaction"sv,
                               "file_offer"sv, "join"sv, "sign_in"sv, "sealed"sv};
constexpr std::array kDirections = {"out"sv, "in"sv};
constexpr std::array kVerdicts = {"forward"sv, "flag"sv, "redact"sv, "refuse"sv};
constexpr std::array kVerdictValues = {Verdict::forward, Verdict::flag, Verdict::redact, Verdict::refuse};

std::string optional_text(const yaml::Map& map, std::string_view key, std::string_view otherwise = "") {
  const auto value = map.find(key);
  return value ? value->text() : std::string{otherwise};
}

std::vector<std::string> optional_texts(const yaml::Map& map, std::string_view key) {
  const auto value = map.find(key);
  return value ? value->texts() : std::vector<std::string>{};
}

Event read_event(const yaml::Map& map) {
  Event event;
  if (const auto kind = map.find("kind")) event.kind = *kind_from_string(kKinds[kind->choice(kKinds)]);
  event.from = optional_text(map, "from");
  event.to = optional_texts(map, "to");
  event.room = optional_text(map, "room");
  event.present = optional_texts(map, "present");
  if (!event.room.empty()) event.scope = Scope::room;
  if (event.kind == Kind::sign_in) event.scope = Scope::network;
  using Role = TextPart::Role;
  for (const auto& [key, role] : {std::pair{"text", Role::body}, {"subject", Role::subject}, {"xhtml", Role::xhtml}})
    if (const auto text = map.find(key)) event.texts.push_back({role, "", text->text(), {}});
  if (event.kind == Kind::reaction && !event.texts.empty()) {
    event.detail = event.texts.front().text;
    event.texts.clear();
  }
  for (auto& name : optional_texts(map, "file")) event.files.emplace_back().name = std::move(name);
  return event;
}

}  // namespace

TestCase read_test(const yaml::Value& value) {
  const auto map = value.map(kKeys);
  TestCase test;
  test.line = value.line();
  test.event = read_event(map);
  if (const auto direction = map.find("direction"))
    test.from = direction->choice(kDirections) == 0 ? Side::client : Side::server;
  test.protocol = optional_text(map, "protocol", "xmpp");
  test.network = optional_text(map, "network");
  const bool outbound = test.from == Side::client;
  const auto user = outbound ? test.event.from : (test.event.to.empty() ? std::string{} : test.event.to.front());
  test.account = optional_text(map, "account", user);
  if (const auto time = map.find("time")) {
    test.at = parse_rfc3339(time->text());
    if (!test.at) time->fail("not a time: 2026-12-31 or 2026-12-31T18:00:00Z");
  }
  test.verdict = kVerdictValues[map.at("expect").choice(kVerdicts)];
  if (const auto rule = map.find("rule")) test.rule = rule->text();
  if (const auto delivered = map.find("delivered")) {
    test.delivered = delivered->text();
    if (test.verdict == Verdict::refuse) delivered->fail("a refused message is delivered to nobody");
  }
  if (const auto notices = map.find("notices")) test.notices = notices->texts();
  return test;
}

}  // namespace chancery::policy
