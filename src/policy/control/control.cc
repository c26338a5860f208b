#include "policy/control/control.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory_resource>

namespace chancery::policy {
namespace {

constexpr std::string_view kNotice = "Your message was not delivered: this conversation is not permitted by policy.";

// What one party says to another, or asks to be let in to hear. A leave, a sign-in or a presence is nobody's message;
// a join that the server reports has happened already.
bool is_controlled(const Subject& subject) {
  switch (subject.event.kind) {
    case Kind::message:
    case Kind::edit:
    case Kind::retraction:
    case Kind::reaction:
    case Kind::history:
    case Kind::topic:
    case Kind::file_offer:
    case Kind::sealed:
      return true;
    case Kind::join:
      return subject.from == Side::client;
    case Kind::opaque:
      return subject.event.scope != Scope::network;
    default:
      return false;
  }
}

}  // namespace

ControlStage::ControlStage(const Control& control, const Groups& groups, std::string_view file)
    : otherwise_(control.otherwise), notice_(control.notice.empty() ? kNotice : control.notice) {
  rules_.reserve(control.rules.size());
  for (const auto& rule : control.rules) {
    rules_.push_back(
        {rule.id, rule.action, Condition(rule.when, groups, file), rule.notice.empty() ? notice_ : rule.notice});
    asks_receiver_ = asks_receiver_ || rules_.back().when.needs_receiver();
  }
}

// One event's way through the rules. `candidates_` are the rules that hold for the speaker; only they are asked about
// each receiver, and they lie on the stack.
class ControlStage::Reading {
 public:
  Reading(const ControlStage& stage, const Subject& subject, const Speaker& speaker)
      : stage_(stage), speaker_(speaker), memory_(space_.data(), space_.size()), candidates_(&memory_) {
    for (const auto& rule : stage.rules_)
      if (rule.when.holds_for(subject, speaker)) candidates_.push_back(&rule);
  }

  // Null: an event without receiver (a join, a message to an empty room).
  void receiver(const Address* address) {
    for (const auto* rule : candidates_) {
      if (rule->when.needs_receiver() && (!address || !rule->when.holds_for(speaker_, *address))) continue;
      if (rule->action == ControlAction::flag) {
        note(rule);
        continue;
      }
      note(rule);
      refused_ = refused_ || rule->action == ControlAction::refuse;
      return;
    }
    if (stage_.otherwise_ == ControlAction::refuse) refused_by_default_ = true;
  }

  bool refused() const { return refused_ || refused_by_default_; }

  Outcome outcome() const {
    std::vector<Ruling> rulings;
    for (const auto* rule : matched_) {
      const bool refuse = rule->action == ControlAction::refuse;
      const auto verdict = refuse                                ? Verdict::refuse
                           : rule->action == ControlAction::flag ? Verdict::flag
                                                                 : Verdict::forward;
      rulings.push_back({verdict, rule->id, {}, refuse ? rule->notice : std::string{}});
    }
    if (refused_by_default_) rulings.push_back({Verdict::refuse, std::string{kControlDefaultRule}, {}, stage_.notice_});
    if (rulings.empty()) return Pass{};
    return rulings;
  }

 private:
  void note(const Rule* rule) {
    if (std::ranges::find(matched_, rule) == matched_.end()) matched_.push_back(rule);
  }

  const ControlStage& stage_;
  const Speaker& speaker_;
  std::array<std::byte, 1024> space_;
  std::pmr::monotonic_buffer_resource memory_;
  std::pmr::vector<const Rule*> candidates_;
  std::vector<const Rule*> matched_;
  bool refused_ = false;
  bool refused_by_default_ = false;
};

Outcome ControlStage::judge(const Subject& subject, std::span<const Answer>) const {
  if (rules_.empty() && otherwise_ != ControlAction::refuse) return Pass{};
  if (!is_controlled(subject)) return Pass{};
  const Speaker speaker(subject);
  Reading reading(*this, subject, speaker);
  bool any = false;
  if (asks_receiver_) {
    for_each_receiver(subject, [&](const Address& receiver) {
      reading.receiver(&receiver);
      any = true;
      return !reading.refused();
    });
  }
  if (!any) reading.receiver(nullptr);
  return reading.outcome();
}

}  // namespace chancery::policy
