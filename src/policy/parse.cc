#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <span>
#include <unordered_map>

#include "policy/compile.h"
#include "policy/parse_parts.h"

namespace chancery::policy {
namespace {

using namespace std::string_view_literals;

constexpr std::array kRootKeys = {"version"sv, "name"sv, "groups"sv, "control"sv, "lexicon"sv, "notices"sv, "tests"sv};
constexpr std::array kControlKeys = {"default"sv, "notice"sv, "rules"sv};
constexpr std::array kControlRuleKeys = keys_with_when({"id"sv, "action"sv, "notice"sv});
constexpr std::array kLexiconKeys = {"fold"sv, "notice"sv, "rules"sv};
constexpr std::array kFoldKeys = {"confusables"sv, "leet"sv};
constexpr std::array kLexiconRuleKeys = keys_with_when(
    {"id"sv, "action"sv, "category"sv, "terms"sv, "except"sv, "must_hit"sv, "must_not_hit"sv, "notice"sv});
constexpr std::array kNoticeKeys = keys_with_when({"id"sv, "at"sv, "show_to"sv, "every_days"sv, "text"sv});

constexpr std::array kControlActions = {"allow"sv, "refuse"sv, "flag"sv};
constexpr std::array kDefaults = {"allow"sv, "refuse"sv};
constexpr std::array kLexiconActions = {"flag"sv, "redact"sv, "refuse"sv};
constexpr std::array kLexiconVerdicts = {Verdict::flag, Verdict::redact, Verdict::refuse};
constexpr std::array kDirections = {"any"sv, "in"sv, "out"sv};
constexpr std::array kConfusables = {"off"sv, "mixed"sv, "all"sv};
constexpr std::array kOccasions = {"sign-on"sv, "conversation"sv};
constexpr std::array kAudiences = {"user"sv, "peer"sv};

std::string read_notice(const yaml::Value& value) {
  auto text = value.text_not_empty();
  if (text.size() > kNoticeSizeMax) value.fail(fmt::format("longer than {} octets", kNoticeSizeMax));
  return text;
}

std::string optional_notice(const yaml::Map& map) {
  const auto value = map.find("notice");
  return value ? read_notice(*value) : std::string{};
}

// Every rule has an id of its own: decisions and records name it.
class Ids {
 public:
  std::string read(const yaml::Value& value) {
    constexpr std::size_t kIdSizeMax = 64;
    auto id = value.text();
    const auto plain = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    };
    if (id.empty() || id.size() > kIdSizeMax || !std::ranges::all_of(id, plain) || id.front() == '.')
      value.fail("not an id: 1 to 64 of a-z, 0-9, dot, hyphen and underscore");
    if (id.starts_with("control.") || id.starts_with("policy.")) value.fail("ids of this form are the gateway's own");
    const auto [earlier, fresh] = seen_.try_emplace(id, value.line());
    if (!fresh) value.fail(fmt::format("the id {} is used already, in line {}", id, earlier->second));
    return id;
  }

 private:
  std::unordered_map<std::string, int> seen_;
};

template <class Rule, class Read>
std::vector<Rule> read_rules(const std::optional<yaml::Value>& value, Read read) {
  std::vector<Rule> rules;
  if (!value) return rules;
  for (const auto& item : value->list()) {
    if (rules.size() == kRulesMax) item.fail(fmt::format("more than {} rules", kRulesMax));
    rules.push_back(read(item));
  }
  return rules;
}

Control read_control(const yaml::Value& value, Ids& ids) {
  const auto map = value.map(kControlKeys);
  Control control;
  if (const auto otherwise = map.find("default"))
    control.otherwise = ControlAction{static_cast<std::uint8_t>(otherwise->choice(kDefaults))};
  control.notice = optional_notice(map);
  control.rules = read_rules<ControlRule>(map.find("rules"), [&](const yaml::Value& item) {
    const auto fields = item.map(kControlRuleKeys);
    ControlRule rule;
    rule.line = item.line();
    rule.id = ids.read(fields.at("id"));
    rule.action = ControlAction{static_cast<std::uint8_t>(fields.at("action").choice(kControlActions))};
    rule.when = read_when(fields);
    rule.notice = optional_notice(fields);
    return rule;
  });
  return control;
}

Fold read_fold(const yaml::Value& value) {
  const auto map = value.map(kFoldKeys);
  Fold fold;
  if (const auto confusables = map.find("confusables"))
    fold.confusables = Confusables{static_cast<std::uint8_t>(confusables->choice(kConfusables))};
  if (const auto leet = map.find("leet")) fold.leet = leet->boolean();
  return fold;
}

std::vector<Written> read_terms(const yaml::Value& value) {
  auto terms = read_written(value);
  for (const auto& term : terms)
    if (term.text.size() > kTermSizeMax) value.fail(fmt::format("a term is longer than {} octets", kTermSizeMax));
  return terms;
}

LexiconRule read_lexicon_rule(const yaml::Value& item, Ids& ids) {
  const auto map = item.map(kLexiconRuleKeys);
  LexiconRule rule;
  rule.line = item.line();
  rule.id = ids.read(map.at("id"));
  rule.action = kLexiconVerdicts[map.at("action").choice(kLexiconActions)];
  if (const auto category = map.find("category")) rule.category = category->text();
  rule.when = read_when(map);
  const auto terms = map.at("terms");
  rule.terms = read_terms(terms);
  if (rule.terms.empty()) terms.fail("a rule needs at least one term");
  if (const auto except = map.find("except")) rule.except = read_terms(*except);
  if (const auto hit = map.find("must_hit")) rule.must_hit = read_written(*hit);
  if (const auto miss = map.find("must_not_hit")) rule.must_not_hit = read_written(*miss);
  rule.notice = optional_notice(map);
  return rule;
}

Lexicon read_lexicon(const yaml::Value& value, Ids& ids) {
  const auto map = value.map(kLexiconKeys);
  Lexicon lexicon;
  if (const auto fold = map.find("fold")) lexicon.fold = read_fold(*fold);
  lexicon.notice = optional_notice(map);
  std::size_t terms = 0;
  lexicon.rules = read_rules<LexiconRule>(map.find("rules"), [&](const yaml::Value& item) {
    auto rule = read_lexicon_rule(item, ids);
    terms += rule.terms.size() + rule.except.size();
    if (terms > kTermsMax) item.fail(fmt::format("more than {} terms in one policy", kTermsMax));
    return rule;
  });
  return lexicon;
}

NoticeRule read_notice_rule(const yaml::Value& item, Ids& ids) {
  constexpr std::int64_t kEveryDaysMax = 3'650;
  const auto map = item.map(kNoticeKeys);
  NoticeRule rule;
  rule.line = item.line();
  rule.id = ids.read(map.at("id"));
  rule.at = NoticeRule::At{static_cast<std::uint8_t>(map.at("at").choice(kOccasions))};
  if (const auto audience = map.find("show_to")) {
    rule.to_peer = audience->choice(kAudiences) == 1;
    if (rule.to_peer && rule.at == NoticeRule::At::sign_on) audience->fail("at sign-on there is no peer yet");
  }
  if (const auto days = map.find("every_days"))
    rule.every_days = static_cast<std::uint32_t>(days->number(1, kEveryDaysMax));
  rule.when = read_when(map);
  rule.text = read_notice(map.at("text"));
  return rule;
}

std::map<std::string, std::vector<Written>> read_groups(const yaml::Value& value) {
  std::map<std::string, std::vector<Written>> groups;
  for (const auto& [name, members] : value.entries()) {
    if (name == "external") members.fail("group:external is whoever is not in `internal`; list `internal` instead");
    groups.emplace(name, read_written(members));
  }
  return groups;
}

}  // namespace

std::vector<Written> read_written(const yaml::Value& value) {
  if (value.is_text()) return {{value.text(), value.line()}};
  std::vector<Written> out;
  for (const auto& item : value.list()) out.push_back({item.text(), item.line()});
  return out;
}

When read_when(const yaml::Map& map) {
  When when;
  const auto patterns = [&](std::string_view key) {
    const auto value = map.find(key);
    if (!value) return std::vector<Written>{};
    auto list = read_written(*value);
    if (list.empty()) value->fail("an empty list would match nobody; leave the key out to match everybody");
    return list;
  };
  const auto words = [&](std::string_view key) {
    const auto value = map.find(key);
    return value ? value->texts() : std::vector<std::string>{};
  };
  if (const auto direction = map.find("direction"))
    when.direction = Direction{static_cast<std::uint8_t>(direction->choice(kDirections))};
  when.from = patterns("from");
  when.to = patterns("to");
  when.between = patterns("between");
  if (when.between.size() != 0 && when.between.size() != 2)
    map.at("between").fail("exactly two patterns, for instance [group:research, group:trading]");
  when.rooms = patterns("rooms");
  when.protocols = words("protocols");
  when.networks = words("networks");
  if (const auto until = map.find("until")) {
    when.until = parse_rfc3339(until->text());
    if (!when.until) until->fail("not a time: 2026-12-31 or 2026-12-31T18:00:00Z");
  }
  return when;
}

Text parse(std::string_view text, std::string_view file, yaml::KnownKeys* known) {
  const auto root = yaml::Value::parse(text, std::string{file}, known);
  const auto map = root.map(kRootKeys);
  map.at("version").number(1, 1);
  Text out;
  out.file = file;
  out.revision = revision_of(text);
  if (const auto name = map.find("name")) out.name = name->text();
  if (const auto groups = map.find("groups")) out.groups = read_groups(*groups);
  Ids ids;
  if (const auto control = map.find("control")) out.control = read_control(*control, ids);
  if (const auto lexicon = map.find("lexicon")) out.lexicon = read_lexicon(*lexicon, ids);
  out.notices =
      read_rules<NoticeRule>(map.find("notices"), [&](const yaml::Value& item) { return read_notice_rule(item, ids); });
  out.tests = read_rules<TestCase>(map.find("tests"), read_test);
  return out;
}

}  // namespace chancery::policy
