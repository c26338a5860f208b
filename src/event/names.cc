// The names of kinds, verdicts and parts of events as JSON, search, command line and transcripts spell them.
#include "event/names.h"

#include <array>
#include <utility>

#include "event/decision.h"
#include "event/event.h"
#include "event/record.h"

namespace chancery {
namespace {

constexpr std::array kKinds = std::to_array<std::pair<Kind, std::string_view>>({
    {Kind::message, "message"},
    {Kind::edit, "edit"},
    {Kind::retraction, "retraction"},
    {Kind::reaction, "reaction"},
    {Kind::delivery, "delivery"},
    {Kind::history, "history"},
    {Kind::join, "join"},
    {Kind::leave, "leave"},
    {Kind::nick, "nick"},
    {Kind::topic, "topic"},
    {Kind::presence, "presence"},
    {Kind::file_offer, "file_offer"},
    {Kind::sign_in, "sign_in"},
    {Kind::notice_shown, "notice_shown"},
    {Kind::opaque, "opaque"},
    {Kind::sealed, "sealed"},
    {Kind::credential, "credential"},
    {Kind::stream_open, "stream_open"},
    {Kind::stream_close, "stream_close"},
    {Kind::heartbeat, "heartbeat"},
    {Kind::gap, "gap"},
    {Kind::outage, "outage"},
    {Kind::policy_change, "policy_change"},
    {Kind::clock_step, "clock_step"},
    {Kind::key_change, "key_change"},
    {Kind::protocol_error, "protocol_error"},
    {Kind::epoch, "epoch"},
});

}  // namespace

std::string_view to_string(Kind kind) {
  for (const auto& [value, name] : kKinds)
    if (value == kind) return name;
  return "unknown";
}

std::optional<Kind> kind_from_string(std::string_view name) {
  for (const auto& [value, spelled] : kKinds)
    if (spelled == name) return value;
  return std::nullopt;
}

std::string_view verdict_name(const Record& record) {
  return record.seen ? "seen" : to_string(record.decision.verdict);
}

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::forward:
      return "forward";
    case Verdict::flag:
      return "flag";
    case Verdict::redact:
      return "redact";
    case Verdict::refuse:
      return "refuse";
    case Verdict::hold:
      return "hold";
  }
  return "unknown";
}

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::direct:
      return "direct";
    case Scope::room:
      return "room";
    case Scope::network:
      return "network";
  }
  return "unknown";
}

std::string_view to_string(Copy copy) {
  switch (copy) {
    case Copy::none:
      return "none";
    case Copy::echo:
      return "echo";
    case Copy::carbon:
      return "carbon";
    case Copy::delayed:
      return "delayed";
    case Copy::archive:
      return "archive";
    case Copy::resend:
      return "resend";
  }
  return "unknown";
}

std::string_view to_string(TextPart::Role role) {
  switch (role) {
    case TextPart::Role::body:
      return "body";
    case TextPart::Role::subject:
      return "subject";
    case TextPart::Role::xhtml:
      return "xhtml";
    case TextPart::Role::reason:
      return "reason";
    case TextPart::Role::tag:
      return "tag";
  }
  return "unknown";
}

}  // namespace chancery
