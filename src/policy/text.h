#pragma once
// A policy as it is written: the YAML text, checked for form, before anything is compiled. `check` and the policy's
// own tests read this too, so every part knows its line.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "event/decision.h"
#include "event/event.h"
#include "yaml/yaml.h"

namespace chancery::policy {

inline constexpr std::size_t kRulesMax = 10'000;      // of one stage
inline constexpr std::size_t kTermsMax = 200'000;     // of one policy
inline constexpr std::size_t kTermSizeMax = 512;      // octets
inline constexpr std::size_t kNoticeSizeMax = 2'000;  // octets of a text shown to a user

struct Written {  // a text and where it stands
  std::string text;
  int line = 0;
};

enum class Direction : std::uint8_t { any, in, out };

// When a rule applies; an empty list leaves that question open. Patterns: policy/address.h.
struct When {
  Direction direction = Direction::any;
  std::vector<Written> from, to, between, rooms;
  std::vector<std::string> protocols, networks;
  std::optional<Instant> until;  // the rule ends at this time
};

enum class ControlAction : std::uint8_t { allow, refuse, flag };

struct ControlRule {
  std::string id;
  int line = 0;
  ControlAction action = ControlAction::refuse;
  When when;
  std::string notice;
};

struct Control {
  ControlAction otherwise = ControlAction::allow;  // `default`
  std::string notice;
  std::vector<ControlRule> rules;
};

enum class Confusables : std::uint8_t { off, mixed, all };

struct Fold {
  Confusables confusables = Confusables::mixed;
  bool leet = false;
};

struct LexiconRule {
  std::string id;
  int line = 0;
  Verdict action = Verdict::flag;
  std::string category;
  When when;
  std::vector<Written> terms, except;
  std::vector<Written> must_hit, must_not_hit;
  std::string notice;
};

struct Lexicon {
  Fold fold;
  std::string notice;
  std::vector<LexiconRule> rules;
};

struct NoticeRule {
  enum class At : std::uint8_t { sign_on, conversation };
  std::string id;
  int line = 0;
  At at = At::sign_on;
  bool to_peer = false;          // show it to the other party, not to the user
  std::uint32_t every_days = 0;  // show it again after so many days; 0: once
  When when;
  std::string text;
};

// One of the policy's own tests: what is said, by whom, and what must become of it.
struct TestCase {
  int line = 0;
  Event event;
  Side from = Side::client;
  std::string protocol = "xmpp", network, account;
  std::optional<Instant> at;
  Verdict verdict = Verdict::forward;
  std::optional<std::string> rule;
  std::optional<std::string> delivered;             // the body as the receiver sees it
  std::optional<std::vector<std::string>> notices;  // ids of the notices due
};

struct Text {
  std::string file;
  std::string revision;
  std::string name;
  std::map<std::string, std::vector<Written>> groups;
  Control control;
  Lexicon lexicon;
  std::vector<NoticeRule> notices;
  std::vector<TestCase> tests;
};

// Throws yaml::Error. `known`, for tests, collects the keys of each place.
Text parse(std::string_view text, std::string_view file, yaml::KnownKeys* known = nullptr);

}  // namespace chancery::policy
