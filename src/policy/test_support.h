#pragma once
// For tests of this folder: policies from text, and events said by somebody.
#include <functional>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "policy/compile.h"
#include "policy/selftest.h"

namespace chancery::policy::testing {

inline const Instant kNow = *parse_rfc3339("2026-05-03T09:00:00Z");

inline std::shared_ptr<const Policy> policy_of(std::string_view yaml) {
  return compile("version: 1\n" + std::string{yaml}, "p.yaml", nullptr);
}

inline std::string error_of(std::string_view yaml) {
  try {
    policy_of(yaml);
  } catch (const yaml::Error& e) {
    return e.what();
  }
  return "no error";
}

inline Event message(std::string_view text, std::string from = "alice@im.test",
                     std::vector<std::string> to = {"bob@im.test"}) {
  Event event;
  event.from = std::move(from);
  event.to = std::move(to);
  event.texts.push_back({TextPart::Role::body, "", std::string{text}, {}});
  return event;
}

inline Event in_room(Event event, std::string room, std::vector<std::string> present) {
  event.scope = Scope::room;
  event.to.clear();
  event.room = std::move(room);
  event.present = std::move(present);
  return event;
}

// Answers from a table, and remembers what was asked.
class Table : public Policy::Answers {
 public:
  std::map<std::string, std::string, std::less<>> known;
  std::vector<std::string> asked;
  std::string answer(std::string_view query) override {
    asked.emplace_back(query);
    const auto found = known.find(query);
    return found == known.end() ? "no" : found->second;
  }
};

inline Subject subject_of(const Event& event, Side from = Side::client) {
  return {.event = event, .from = from, .protocol = "xmpp", .network = "im", .account = "alice@im.test", .now = kNow};
}

// Calls of operator new by this thread so far.
std::size_t allocations();

inline Decision decide(const Policy& policy, const Event& event, Side from = Side::client) {
  Table table;
  return policy.judge_now(subject_of(event, from), table).decision;
}

}  // namespace chancery::policy::testing
