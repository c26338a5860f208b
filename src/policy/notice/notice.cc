#include "policy/notice/notice.h"

#include <algorithm>
#include <fmt/format.h>

namespace chancery::policy {
namespace {

bool is_occasion(const Subject& subject, NoticeRule::At at) {
  const auto& event = subject.event;
  if (subject.account.empty() && event.kind != Kind::sign_in) return false;
  if (at == NoticeRule::At::sign_on) return event.kind == Kind::sign_in && event.accepted;
  if (event.scope == Scope::network) return false;
  return event.kind == Kind::message || event.kind == Kind::file_offer || event.kind == Kind::sealed;
}

// The room, or the other party.
std::string_view conversation_of(const Subject& subject) {
  const auto& event = subject.event;
  if (event.scope == Scope::room) return event.room;
  if (subject.from == Side::server) return event.from;
  return event.to.empty() ? std::string_view{} : std::string_view{event.to.front()};
}

bool counts_as_shown(std::string_view answer, std::uint32_t every_days, Instant now) {
  if (answer.empty() || answer == "no") return false;
  const auto shown = every_days == 0 ? std::nullopt : parse_rfc3339(answer);
  return !shown || now - *shown < std::chrono::days{every_days};
}

const Answer* find(std::span<const Answer> answers, std::string_view query) {
  const auto found = std::ranges::find(answers, query, &Answer::query);
  return found == answers.end() ? nullptr : &*found;
}

}  // namespace

NoticeStage::NoticeStage(const std::vector<NoticeRule>& rules, const Groups& groups, std::string_view file) {
  for (const auto& rule : rules) rules_.push_back({rule, Condition(rule.when, groups, file)});
}

Outcome NoticeStage::judge(const Subject& subject, std::span<const Answer> answers) const {
  std::vector<Notice> due;
  for (const auto& [rule, when] : rules_) {
    if (!is_occasion(subject, rule.at)) continue;
    const Speaker speaker(subject);
    if (!when.holds_for_any(subject, speaker)) continue;
    const bool in_conversation = rule.at == NoticeRule::At::conversation;
    const std::string_view account = subject.account.empty() ? std::string_view{subject.event.from} : subject.account;
    Notice notice{.id = rule.id,
                  .key = fmt::format("{}:{}", rule.id, account),
                  .to = rule.to_peer ? Side::server : Side::client,
                  .text = rule.text,
                  .in_conversation = in_conversation};
    if (in_conversation) notice.key += fmt::format(":{}", conversation_of(subject));
    auto query = std::string{kNoticeShown} + notice.key;
    const auto* answer = find(answers, query);
    if (!answer) return Question{std::move(query)};
    if (!counts_as_shown(answer->value, rule.every_days, subject.now)) due.push_back(std::move(notice));
  }
  if (due.empty()) return Pass{};
  return due;
}

}  // namespace chancery::policy
