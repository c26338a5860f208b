#include "policy/chain.h"

#include <atomic>
#include <cstdlib>
#include <gtest/gtest.h>
#include <new>
#include <thread>

#include "policy/test_support.h"

namespace chancery::policy {
namespace {

using namespace testing;

constexpr std::string_view kPolicy = R"(groups: {internal: [im.test]}
control:
  rules:
    - {id: out, action: refuse, to: [evil.example]}
lexicon:
  rules:
    - {id: fox, action: redact, terms: [fox]}
    - {id: dog, action: flag, terms: [dog]}
notices:
  - {id: n, at: conversation, to: [group:external], text: t}
)";

TEST(Chain, StepwiseAndAtOnceAgree) {
  const auto policy = policy_of(kPolicy);
  for (const auto* text : {"hi", "a fox", "fox and dog", "dog"}) {
    const auto event = message(text, "alice@im.test", {"eve@x.test"});
    const auto subject = subject_of(event);
    auto run = policy->judge(subject);
    ASSERT_TRUE(run->question());
    EXPECT_EQ(run->question()->query, "notice.shown:n:alice@im.test:eve@x.test");
    run->answer("no");
    ASSERT_FALSE(run->question());
    Table table;
    const auto at_once = policy->judge_now(subject, table);
    EXPECT_EQ(run->judgement().decision, at_once.decision);
    EXPECT_EQ(run->judgement().notices.size(), at_once.notices.size());
  }
}

TEST(Chain, SameInputsGiveTheSameDecision) {
  const auto policy = policy_of(kPolicy), again = policy_of(kPolicy);
  const auto event = message("fox, dog and Fuchs", "alice@im.test", {"eve@x.test"});
  const auto first = decide(*policy, event);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(decide(i % 2 ? *policy : *again, event), first);
}

TEST(Chain, ARefusalEndsIt) {
  const auto decision = decide(*policy_of(kPolicy), message("fox", "alice@im.test", {"a@evil.example"}));
  EXPECT_EQ(decision.rules, (std::vector<std::string>{"out"}));
  EXPECT_TRUE(decision.answers.empty());
}

TEST(Chain, TheRevisionIsTheTextsDigest) {
  EXPECT_EQ(revision_of("abc"), "ba7816bf8f01cfea");  // FIPS 180-4, SHA-256 of "abc"
  EXPECT_EQ(decide(*policy_of(kPolicy), message("hi")).policy_revision,
            revision_of("version: 1\n" + std::string{kPolicy}));
}

TEST(Chain, NoPolicyForwardsEverything) {
  const auto decision = decide(*forward_everything(), message("fox"));
  EXPECT_EQ(decision.verdict, Verdict::forward);
  EXPECT_TRUE(decision.rules.empty());
}

TEST(Chain, NothingMatchedCostsOneAllocation) {
  const auto policy = policy_of(kPolicy);
  const auto event =
      message("A plain ASCII message of the usual length, which none of the rules has a word to say about");
  const auto subject = subject_of(event);
  Table table;
  static_cast<void>(policy->judge_now(subject, table));  // the working memory grows to its size
  const auto before = allocations();
  const auto judgement = policy->judge_now(subject, table);
  EXPECT_LE(allocations() - before, 1U) << "more than the revision's copy";
  EXPECT_EQ(judgement.decision.verdict, Verdict::forward);
}

class AsksForEver : public Stage {
 public:
  std::string_view name() const override { return "asks"; }
  Outcome judge(const Subject&, std::span<const Answer> answers) const override {
    return Question{"q:" + std::to_string(answers.size())};
  }
};

TEST(Chain, AStageThatAsksForEverIsCutOffAndTheEventRefused) {
  std::vector<std::unique_ptr<const Stage>> stages;
  stages.push_back(std::make_unique<AsksForEver>());
  const Chain chain("r", std::move(stages));
  const auto decision = decide(chain, message("x"));
  EXPECT_EQ(decision.verdict, Verdict::refuse);
  EXPECT_EQ(decision.rule, kQuestionsRule);
  EXPECT_EQ(decision.answers.size(), kQuestionsMax);
}

TEST(Chain, ManyThreadsMayJudgeAtOnce) {
  const auto policy = policy_of(kPolicy);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      const auto event = message("ü fox");
      for (int i = 0; i < 500; ++i)
        if (decide(*policy, event).masks != std::vector<Mask>{{0, 3, 6}}) ++wrong;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace chancery::policy
