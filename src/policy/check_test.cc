#include "policy/check.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "policy/test_support.h"

namespace chancery::policy {
namespace {

std::vector<std::string> findings(std::string_view yaml) {
  std::vector<std::string> out;
  for (const auto& [text, line] : lint(parse("version: 1\n" + std::string{yaml}, "p.yaml"), testing::kNow))
    out.push_back(fmt::format("{}: {}", line, text));
  return out;
}

using Found = std::vector<std::string>;

TEST(PolicyCheck, AGoodPolicyHasNoFindings) {
  EXPECT_EQ(findings(R"(groups: {internal: [im.test]}
control:
  default: refuse
  rules:
    - {id: a, action: refuse, to: [eve@x.test]}
    - {id: b, action: allow, to: [x.test, group:internal]}
lexicon:
  rules:
    - {id: c, action: flag, terms: ['guarant*', sure], except: [not guaranteed, not sure]}
)"),
            Found{});
}

TEST(PolicyCheck, AnAllowBehindAWiderRefuseIsShadowed) {
  EXPECT_EQ(findings(R"(control:
  rules:
    - {id: a, action: refuse, to: [x.test]}
    - {id: b, action: allow, to: [eve@x.test]}
    - {id: c, action: allow, direction: out, to: [y.test]}
    - {id: d, action: refuse, to: ['z@y.test']}
    - {id: e, action: refuse, direction: out, from: [q], to: ['z@y.test', y.test]}
)"),
            (Found{"5: rule b is shadowed by rule a in line 4, which decides first",
                   "8: rule e is made unreachable by rule c in line 6, which decides first"}));
}

TEST(PolicyCheck, NothingComesBehindARuleForEverybody) {
  EXPECT_EQ(findings(R"(control:
  rules:
    - {id: a, action: allow}
    - {id: b, action: refuse, between: [q, w]}
)"),
            (Found{"5: rule b is made unreachable by rule a in line 4, which decides first"}));
}

TEST(PolicyCheck, ARuleThatEndsCoversNothingForEver) {
  EXPECT_EQ(findings(R"(control:
  rules:
    - {id: a, action: refuse, to: [x.test], until: 2026-05-01}
    - {id: b, action: allow, to: [x.test]}
)"),
            (Found{"4: rule a ended at 2026-05-01T00:00:00.000000Z"}));
}

TEST(PolicyCheck, DoubledAndCoveredTermsAndIdleExceptionsAreNamed) {
  EXPECT_EQ(
      findings(R"(lexicon:
  rules:
    - id: r
      action: flag
      terms:
        - Fox
        - ﬁne
        - fine
        - guarantee
        - 'guarant*'
      except:
        - not sure
        - not guaranteed
)"),
      (Found{"9: rule r: \"fine\" is listed already, in line 8", "10: rule r: \"guarantee\" is covered by \"guarant*\"",
             "13: rule r: the exception \"not sure\" holds none of the rule's terms"}));
}

TEST(PolicyCheck, UnusedGroupsAndUnknownRulesAreNamed) {
  EXPECT_EQ(findings("groups: {a: [x@y]}\ntests:\n  - {text: x, expect: flag, rule: nowhere}\n"),
            (Found{"2: group a is used by no rule", "4: the test names the rule nowhere, which is not there"}));
}

}  // namespace
}  // namespace chancery::policy
