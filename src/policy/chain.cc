#include "policy/chain.h"

#include <algorithm>
#include <type_traits>

namespace chancery::policy {
namespace {

int strength(Verdict verdict) {
  switch (verdict) {
    case Verdict::forward:
      return 0;
    case Verdict::flag:
      return 1;
    case Verdict::redact:
      return 2;
    case Verdict::hold:
      return 3;
    case Verdict::refuse:
      return 4;
  }
  return 4;
}

void absorb(Ruling&& ruling, Decision& decision) {
  const bool first = decision.rules.empty();
  if (first || strength(ruling.verdict) > strength(decision.verdict)) {
    decision.verdict = ruling.verdict;
    decision.rule = ruling.rule;
    decision.notice = std::move(ruling.notice);
  }
  if (std::ranges::find(decision.rules, ruling.rule) == decision.rules.end())
    decision.rules.push_back(std::move(ruling.rule));
  decision.masks.insert(decision.masks.end(), ruling.masks.begin(), ruling.masks.end());
}

// Sorted, and those that touch or overlap made one. Only a redaction has masks.
void join_masks(Decision& decision) {
  auto& masks = decision.masks;
  if (decision.verdict != Verdict::redact) masks.clear();
  if (masks.size() < 2) return;
  std::ranges::sort(masks, [](const Mask& a, const Mask& b) {
    return std::tie(a.part, a.begin, a.end) < std::tie(b.part, b.begin, b.end);
  });
  std::size_t last = 0;
  for (std::size_t i = 1; i < masks.size(); ++i) {
    if (masks[i].part == masks[last].part && masks[i].begin <= masks[last].end)
      masks[last].end = std::max(masks[last].end, masks[i].end);
    else
      masks[++last] = masks[i];
  }
  masks.resize(last + 1);
}

}  // namespace

// The way through the stages, which both kinds of judgement share.
class Chain::Steps {
 public:
  Steps(const Chain& chain, const Subject& subject) : chain_(chain), subject_(subject) {
    judgement_.decision.policy_revision = chain.revision_;
  }

  // Goes on until a stage asks or the end is reached; then nullopt, and the judgement is final.
  std::optional<Question> advance() {
    auto& decision = judgement_.decision;
    while (stage_ < chain_.stages_.size()) {
      auto outcome = chain_.stages_[stage_]->judge(subject_, decision.answers);
      if (auto* question = std::get_if<Question>(&outcome)) {
        if (decision.answers.size() < kQuestionsMax) return std::move(*question);
        outcome = std::vector<Ruling>{{Verdict::refuse, std::string{kQuestionsRule}, {}, "Not delivered."}};
      }
      absorb_outcome(std::move(outcome));
      stage_ = decision.verdict == Verdict::refuse ? chain_.stages_.size() : stage_ + 1;
    }
    join_masks(decision);
    return std::nullopt;
  }

  void answer(Question&& question, std::string&& value) {
    judgement_.decision.answers.push_back({std::move(question.query), std::move(value)});
  }

  const Judgement& judgement() const { return judgement_; }
  Judgement take() { return std::move(judgement_); }

 private:
  void absorb_outcome(Outcome&& outcome) {
    if (auto* rulings = std::get_if<std::vector<Ruling>>(&outcome))
      for (auto& ruling : *rulings) absorb(std::move(ruling), judgement_.decision);
    if (auto* notices = std::get_if<std::vector<Notice>>(&outcome))
      std::ranges::move(*notices, std::back_inserter(judgement_.notices));
  }

  const Chain& chain_;
  const Subject subject_;
  std::size_t stage_ = 0;
  Judgement judgement_;
};

class Chain::StepwiseRun : public Policy::Run {
 public:
  StepwiseRun(const Chain& chain, const Subject& subject) : steps_(chain, subject), question_(steps_.advance()) {}
  const std::optional<Question>& question() const override { return question_; }
  void answer(std::string value) override {
    if (!question_) return;
    steps_.answer(*std::move(question_), std::move(value));
    question_ = steps_.advance();
  }
  const Judgement& judgement() const override { return steps_.judgement(); }

 private:
  Steps steps_;
  std::optional<Question> question_;
};

Chain::Chain(std::string revision, std::vector<std::unique_ptr<const Stage>> stages)
    : revision_(std::move(revision)), stages_(std::move(stages)) {}

std::unique_ptr<Policy::Run> Chain::judge(const Subject& subject) const {
  return std::make_unique<StepwiseRun>(*this, subject);
}

Judgement Chain::judge_now(const Subject& subject, Answers& answers) const {
  Steps steps(*this, subject);
  while (auto question = steps.advance()) {
    auto value = answers.answer(question->query);
    steps.answer(*std::move(question), std::move(value));
  }
  return steps.take();
}

}  // namespace chancery::policy
