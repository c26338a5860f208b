#include "policy/selftest.h"

#include <algorithm>
#include <fmt/format.h>

namespace chancery::policy {
namespace {

// In a test, nothing was shown before.
class NothingKnown : public Policy::Answers {
 public:
  std::string answer(std::string_view) override { return "no"; }
};

std::string names(const std::vector<std::string>& list) {
  return list.empty() ? std::string{"none"} : fmt::format("{}", fmt::join(list, ", "));
}

class Runner {
 public:
  Runner(const Policy& policy, Instant now, SelfTestResult& result) : policy_(policy), now_(now), result_(result) {}

  void run(const TestCase& test) {
    ++result_.run;
    const auto judgement = judge(test);
    const auto& decision = judgement.decision;
    if (decision.verdict != test.verdict)
      fail(test.line, fmt::format("expected {}, got {} by rule {}", to_string(test.verdict),
                                  to_string(decision.verdict), decision.rule.empty() ? "none" : decision.rule));
    else if (test.rule && *test.rule != decision.rule)
      fail(test.line,
           fmt::format("expected rule {}, got {}", *test.rule, decision.rule.empty() ? "none" : decision.rule));
    if (test.delivered && !test.event.texts.empty()) {
      const auto shown = masked(test.event.texts.front().text, decision.masks, 0);
      if (shown != *test.delivered) fail(test.line, fmt::format("delivered would be: {}", shown));
    }
    if (test.notices) expect_notices(test, judgement);
  }

  void run(const LexiconRule& rule, const Written& sentence, bool hit) {
    ++result_.run;
    TestCase test;
    test.event.texts.push_back({TextPart::Role::body, "", sentence.text, {}});
    const auto rules = judge(test).decision.rules;
    const bool found = std::ranges::find(rules, rule.id) != rules.end();
    if (found != hit)
      fail(sentence.line, fmt::format("rule {} {} hit: {}", rule.id, hit ? "must" : "must not", sentence.text));
  }

 private:
  Judgement judge(const TestCase& test) const {
    NothingKnown answers;
    return policy_.judge_now({.event = test.event,
                              .from = test.from,
                              .protocol = test.protocol,
                              .network = test.network,
                              .account = test.account,
                              .now = test.at.value_or(now_)},
                             answers);
  }

  void expect_notices(const TestCase& test, const Judgement& judgement) {
    std::vector<std::string> due;
    for (const auto& notice : judgement.notices) due.push_back(notice.id);
    if (due != *test.notices)
      fail(test.line, fmt::format("expected notices {}, got {}", names(*test.notices), names(due)));
  }

  void fail(int line, std::string sentence) { result_.failures.push_back({std::move(sentence), line}); }

  const Policy& policy_;
  Instant now_;
  SelfTestResult& result_;
};

// The lexicon by itself, as if every rule applied to everybody: a rule's own sentences are about its terms.
Text lexicon_alone(const Text& text) {
  Text alone = text;
  alone.control = {};
  alone.notices.clear();
  for (auto& rule : alone.lexicon.rules) rule.when = {};
  return alone;
}

}  // namespace

std::string masked(std::string_view text, const std::vector<Mask>& masks, std::uint32_t part) {
  std::string out;
  std::uint32_t at = 0;
  for (const auto& mask : masks) {
    if (mask.part != part) continue;
    out += text.substr(at, mask.begin - at);
    for (const char c : text.substr(mask.begin, mask.end - mask.begin))
      if ((c & 0xc0) != 0x80) out += '*';
    at = mask.end;
  }
  return out += text.substr(at);
}

SelfTestResult run_self_tests(const Text& text, Cache* cache, Instant now) {
  SelfTestResult result;
  const auto policy = compile(text, cache);
  Runner whole(*policy, now, result);
  for (const auto& test : text.tests) whole.run(test);

  const auto lexicon = compile(lexicon_alone(text), cache);
  Runner alone(*lexicon, now, result);
  for (const auto& rule : text.lexicon.rules) {
    for (const auto& sentence : rule.must_hit) alone.run(rule, sentence, true);
    for (const auto& sentence : rule.must_not_hit) alone.run(rule, sentence, false);
  }
  return result;
}

}  // namespace chancery::policy
