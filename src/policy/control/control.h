#pragma once
// Who with whom: allow and deny lists by address, domain and wildcard, direction, room and network.
//
// Rules are read in order. The first `allow` or `refuse` that applies decides, else `default`; a `flag` marks the event
// and reading goes on. Every receiver is judged by himself and the strictest answer counts, so that an approved
// receiver never carries an unapproved one through.
#include <string>
#include <string_view>
#include <vector>

#include "policy/condition.h"
#include "policy/stage.h"
#include "policy/text.h"

namespace chancery::policy {

class ControlStage : public Stage {
 public:
  ControlStage(const Control& control, const Groups& groups, std::string_view file);
  std::string_view name() const override { return "control"; }
  Outcome judge(const Subject& subject, std::span<const Answer> answers) const override;

 private:
  struct Rule {
    std::string id;
    ControlAction action;
    Condition when;
    std::string notice;
  };
  class Reading;

  std::vector<Rule> rules_;
  ControlAction otherwise_;
  std::string notice_;
  bool asks_receiver_ = false;
};

inline constexpr std::string_view kControlDefaultRule = "control.default";  // what a refusal by `default` names

}  // namespace chancery::policy
