#pragma once
// The stages in their order: control, lexicon, notice. (identity comes before control, files behind lexicon.)
#include <memory>
#include <string>
#include <vector>

#include "policy/stage.h"

namespace chancery::policy {

// A stage that asks more than this in one judgement is broken; the event is refused.
inline constexpr std::size_t kQuestionsMax = 64;
inline constexpr std::string_view kQuestionsRule = "policy.questions";  // what that refusal names

class Chain : public Policy {
 public:
  Chain(std::string revision, std::vector<std::unique_ptr<const Stage>> stages);
  const std::string& revision() const override { return revision_; }
  // `subject`, and all it borrows, must outlive the run.
  std::unique_ptr<Run> judge(const Subject& subject) const override;
  Judgement judge_now(const Subject& subject, Answers& answers) const override;

 private:
  class Steps;
  class StepwiseRun;
  std::string revision_;
  std::vector<std::unique_ptr<const Stage>> stages_;
};

}  // namespace chancery::policy
