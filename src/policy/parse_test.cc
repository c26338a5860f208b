#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "policy/test_support.h"
#include "yaml/schema_keys.h"

namespace chancery::policy {
namespace {

using namespace testing;

struct Bad {
  std::string_view yaml, error;
};

class PolicyError : public ::testing::TestWithParam<Bad> {};

TEST_P(PolicyError, SaysWhereAndWhatWouldBeValid) { EXPECT_EQ(error_of(GetParam().yaml), GetParam().error); }

INSTANTIATE_TEST_SUITE_P(
    Each, PolicyError,
    ::testing::Values(
        Bad{"lexikon: {}",
            "p.yaml:2: lexikon: unknown key; did you mean `lexicon`? The keys here are version, name, groups, control, "
            "lexicon, notices, tests"},
        Bad{"control: {default: deny}", "p.yaml:2: control.default: \"deny\" is not valid; one of allow, refuse"},
        Bad{"control: {rules: [{id: a}]}", "p.yaml:2: control.rules[0]: the key `action` is missing"},
        Bad{"control: {rules: [{id: A b, action: allow}]}",
            "p.yaml:2: control.rules[0].id: not an id: 1 to 64 of a-z, 0-9, dot, hyphen and underscore"},
        Bad{"control: {rules: [{id: control.x, action: allow}]}",
            "p.yaml:2: control.rules[0].id: ids of this form are the gateway's own"},
        Bad{"control:\n  rules:\n    - {id: a, action: allow}\nlexicon:\n  rules:\n    - {id: a, action: flag, terms: "
            "[x]}",
            "p.yaml:7: lexicon.rules[0].id: the id a is used already, in line 4"},
        Bad{"control: {rules: [{id: a, action: allow, to: []}]}",
            "p.yaml:2: control.rules[0].to: an empty list would match nobody; leave the key out to match everybody"},
        Bad{"control: {rules: [{id: a, action: allow, to: ['group:x']}]}",
            "p.yaml:2: \"group:x\": no such group; there are: "},
        Bad{"control: {rules: [{id: a, action: allow, to: ['group:external']}]}",
            "p.yaml:2: \"group:external\": needs `groups: internal`, which says who belongs to the organisation"},
        Bad{"control: {rules: [{id: a, action: allow, between: [x]}]}",
            "p.yaml:2: control.rules[0].between: exactly two patterns, for instance [group:research, group:trading]"},
        Bad{"control: {rules: [{id: a, action: allow, until: soon}]}",
            "p.yaml:2: control.rules[0].until: not a time: 2026-12-31 or 2026-12-31T18:00:00Z"},
        Bad{"lexicon: {rules: [{id: a, action: hold, terms: [x]}]}",
            "p.yaml:2: lexicon.rules[0].action: \"hold\" is not valid; one of flag, redact, refuse"},
        Bad{"lexicon: {rules: [{id: a, action: flag, terms: []}]}",
            "p.yaml:2: lexicon.rules[0].terms: a rule needs at least one term"},
        Bad{"notices: [{id: a, at: sign-on, show_to: peer, text: x}]",
            "p.yaml:2: notices[0].show_to: at sign-on there is no peer yet"},
        Bad{"notices: [{id: a, at: sign-on, text: ''}]", "p.yaml:2: notices[0].text: must not be empty"},
        Bad{"tests: [{text: x, expect: refuse, delivered: y}]",
            "p.yaml:2: tests[0].delivered: a refused message is delivered to nobody"},
        Bad{"groups: {external: [x]}",
            "p.yaml:2: groups.external: group:external is whoever is not in `internal`; list `internal` instead"}));

TEST(PolicyText, TheVersionMustBeKnown) {
  EXPECT_THROW(parse("version: 2\n", "p"), yaml::Error);
  EXPECT_THROW(parse("name: x\n", "p"), yaml::Error);
}

TEST(PolicySelfTest, FailuresNameTheirLineAndWhatHappened) {
  const auto text = parse(R"(version: 1
groups: {internal: [im.test]}
lexicon:
  rules:
    - {id: fox, action: redact, from: [somebody@else], terms: [fox], must_hit: [a fox, a dog], must_not_hit: [foxes, the fox]}
    - {id: cat, action: refuse, terms: [cat]}
notices:
  - {id: n, at: conversation, to: [group:external], text: t}
tests:
  - {text: a cat, expect: refuse, rule: cat}
  - {text: a cat, expect: forward}
  - {text: a cat, expect: refuse, rule: fox}
  - {from: somebody@else, text: the fox!, expect: redact, delivered: 'the ***!'}
  - {from: somebody@else, text: the fox!, expect: redact, delivered: 'the fox!'}
  - {from: a@im.test, to: b@x.test, text: hi, expect: forward, notices: [n]}
  - {from: a@im.test, to: b@im.test, text: hi, expect: forward, notices: [n]}
  - {kind: file_offer, file: cat.pdf, expect: refuse}
  - {direction: in, kind: reaction, text: cat, expect: refuse}
)",
                          "p.yaml");
  const auto result = run_self_tests(text, nullptr, kNow);
  EXPECT_EQ(result.run, 13U);
  std::vector<std::string> failures;
  for (const auto& [sentence, line] : result.failures) failures.push_back(fmt::format("{}: {}", line, sentence));
  EXPECT_EQ(failures, (std::vector<std::string>{
                          "11: expected forward, got refuse by rule cat",
                          "12: expected rule fox, got cat",
                          "14: delivered would be: the ***!",
                          "16: expected notices n, got none",
                          "5: rule fox must hit: a dog",
                          "5: rule fox must not hit: the fox",
                      }));
}

std::string file_text(const std::string& path) {
  const auto root = std::filesystem::path{CHANCERY_TESTDATA}.parent_path().parent_path().parent_path();
  std::ifstream in(root / path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>{in}, {}};
}

TEST(PolicySelfTest, TheSamplePolicyPassesItsOwnTests) {
  const auto text = parse(file_text("docs/guide/sample-policy.yaml"), "sample-policy.yaml");
  const auto result = run_self_tests(text, nullptr, kNow);
  EXPECT_GT(result.run, 10U);
  for (const auto& failure : result.failures) ADD_FAILURE() << failure.line << ": " << failure.text;
}

TEST(PolicyText, TheSchemaHasTheParsersKeys) {
  yaml::KnownKeys known;
  parse(file_text("docs/guide/sample-policy.yaml"), "sample-policy.yaml", &known);
  EXPECT_EQ(yaml::keys_of_schema(file_text("docs/formats/policy.schema.json")), known);
}

}  // namespace
}  // namespace chancery::policy
