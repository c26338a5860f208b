#pragma once
// What users are told: at sign-on, and at the first message of a conversation. Whether a notice was shown already is a
// question, "notice.shown:<key>", because a stage keeps no state.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/condition.h"
#include "policy/stage.h"
#include "policy/text.h"

namespace chancery::policy {

inline constexpr std::string_view kNoticeShown = "notice.shown:";

class NoticeStage : public Stage {
 public:
  NoticeStage(const std::vector<NoticeRule>& rules, const Groups& groups, std::string_view file);
  std::string_view name() const override { return "notice"; }
  Outcome judge(const Subject& subject, std::span<const Answer> answers) const override;

 private:
  struct Rule {
    NoticeRule written;
    Condition when;
  };
  std::vector<Rule> rules_;
};

}  // namespace chancery::policy
