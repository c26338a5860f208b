#include "archive/verify/report.h"

#include <algorithm>
#include <fmt/format.h>

#include "archive/verify/bundle_report.h"
#include "core/json.h"

namespace chancery::verify {
namespace {

constexpr std::size_t kFindingsShownMax = 50;  // in the text; JSON has all

std::string plural(std::uint64_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

std::string text_of(const LogReport& log) {
  std::string out = fmt::format("log {}\n", log.origin);
  if (log.published == 0)
    out += fmt::format("  nothing published yet; {} above the last checkpoint\n", plural(log.records, "record"));
  else
    out += fmt::format("  published up to record {} at {} ({})\n", log.published - 1, to_rfc3339(*log.published_time),
                       plural(log.checkpoints, "checkpoint"));
  if (log.witnessed_time)
    out += fmt::format("  witnessed up to record {} at {}\n", log.witnessed - 1, to_rfc3339(*log.witnessed_time));
  if (log.published != 0 && log.records > log.published)
    out += fmt::format("  unpublished: {} after it, not yet under a checkpoint\n",
                       plural(log.records - log.published, "record"));
  if (!log.tail_damage.empty()) out += fmt::format("  the unpublished tail is damaged: {}\n", log.tail_damage);
  if (!log.is_anchored && log.anchored > 0) out += fmt::format("  anchored only up to record {}\n", log.anchored - 1);
  return out;
}

void put_time(JsonWriter& json, std::string_view name, const std::optional<Instant>& time) {
  json.key(name);
  if (time)
    json.value(to_rfc3339(*time));
  else
    json.null();
}

void put(JsonWriter& json, const LogReport& log) {
  json.begin_object().member("log", log.origin).member("records", log.records).member("published", log.published);
  put_time(json, "published_time", log.published_time);
  json.member("checkpoints", log.checkpoints).member("witnessed", log.witnessed);
  put_time(json, "witnessed_time", log.witnessed_time);
  json.member("anchored_records", log.anchored).member("anchored", log.is_anchored);
  json.member("unpublished", log.records - std::min(log.records, log.published));
  json.member("tail_damage", log.tail_damage).end_object();
}

void put(JsonWriter& json, const Finding& finding) {
  json.begin_object().member("kind", to_string(finding.kind)).member("log", finding.log);
  json.key("index");
  if (finding.index)
    json.value(*finding.index);
  else
    json.null();
  json.member("record", finding.record()).member("file", finding.file).member("what", finding.what).end_object();
}

void put(JsonWriter& json, std::string_view name, const std::vector<std::string>& lines) {
  json.key(name).begin_array();
  for (const std::string& line : lines) json.value(line);
  json.end_array();
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::altered:
      return "altered";
    case Kind::removed:
      return "removed";
    case Kind::foreign:
      return "foreign";
    case Kind::rolled_back:
      return "rolled-back";
    case Kind::resigned:
      return "re-signed";
    case Kind::backdated:
      return "back-dated";
    case Kind::gap:
      return "gap";
  }
  return "unknown";
}

std::string Finding::record() const { return index ? fmt::format("{}#{}", log, *index) : std::string{}; }

bool Report::is_anchored() const {
  return !logs.empty() && std::ranges::all_of(logs, [](const LogReport& log) { return log.is_anchored; });
}

int Report::exit_code() const {
  if (!findings.empty()) return 1;
  return unreadable.empty() && is_anchored() ? 0 : 2;
}

std::string Report::verdict() const {
  if (bundle && findings.empty() && unreadable.empty()) return verdict_of(*bundle, is_anchored());
  if (!findings.empty()) return fmt::format("NOT AS IT WAS WRITTEN: {}.", plural(findings.size(), "finding"));
  if (!unreadable.empty()) return "CANNOT TELL: something could not be read.";
  if (logs.empty()) return "CANNOT TELL: there is no log here.";
  if (!is_anchored())
    return "CANNOT TELL: consistent in itself, but nothing from outside the archive confirms all of it. Give a public "
           "key (--key), an earlier checkpoint (--since) or a witness's key (--witness).";
  return "All holds: every published record is there, unchanged, in order.";
}

std::string Report::text() const {
  std::string out;
  if (bundle)
    out += text_of(*bundle);
  else
    for (const LogReport& log : logs) out += text_of(log);
  for (std::size_t i = 0; i < std::min(findings.size(), kFindingsShownMax); ++i) {
    const Finding& finding = findings[i];
    const std::string where = finding.index ? finding.record() : finding.log;
    out += fmt::format("{}: {}{}{}{}{}\n", to_string(finding.kind), where, where.empty() ? "" : ": ", finding.what,
                       finding.file.empty() ? "" : " — ", finding.file);
  }
  if (findings.size() > kFindingsShownMax)
    out += fmt::format("and {} more (--json lists all)\n", findings.size() - kFindingsShownMax);
  for (const std::string& line : unreadable) out += fmt::format("unreadable: {}\n", line);
  for (const std::string& line : notes) out += fmt::format("note: {}\n", line);
  return out + verdict() + "\n";
}

std::string Report::json() const {
  std::string out;
  JsonWriter json{out};
  json.begin_object().member("verdict", verdict()).member("exit", exit_code()).member("anchored", is_anchored());
  if (bundle) put(json, *bundle);
  json.key("logs").begin_array();
  for (const LogReport& log : logs) put(json, log);
  json.end_array().key("findings").begin_array();
  for (const Finding& finding : findings) put(json, finding);
  json.end_array();
  put(json, "unreadable", unreadable);
  put(json, "notes", notes);
  json.end_object();
  return out + "\n";
}

}  // namespace chancery::verify
