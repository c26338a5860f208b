// chancery search: finds messages in the index.
#include <algorithm>
#include <fmt/format.h>
#include <iostream>

#include "app/command.h"
#include "app/commands.h"
#include "app/terminal.h"
#include "archive/logs.h"
#include "archive/search.h"
#include "archive/snippet.h"
#include "core/json.h"
#include "event/mask.h"

namespace chancery::app {
namespace {

constexpr std::size_t kSnippetWidth = 120;  // characters

struct Arguments {
  ArchiveOption archive;
  archive::Query query;
  std::string since, until;
};

std::optional<Instant> parse_time(const char* option, const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (const auto time = parse_rfc3339(text)) return time;
  throw Failure(
      fmt::format("{} takes a date or a time, \"2026-05-03\" or \"2026-05-03T09:00:00Z\", not \"{}\"", option, text));
}

std::string text_to_show(const Event& event) {
  for (const auto& part : event.texts)
    if (part.role == TextPart::Role::body) return part.text;
  if (!event.texts.empty()) return event.texts.front().text;
  if (!event.files.empty()) return event.files.front().name + " " + event.files.front().url;
  return event.detail;
}

// The snippet with what was found in bold, or between nothing where no terminal shows it.
std::string marked(const archive::Snippet& snippet, bool bold) {
  std::string out;
  std::size_t at = 0;
  for (const auto& [begin, end] : snippet.marks) {
    out += harmless(std::string_view{snippet.text}.substr(at, begin - at));
    const std::string found = harmless(std::string_view{snippet.text}.substr(begin, end - begin));
    out += bold ? "\x1b[1m" + found + "\x1b[0m" : found;
    at = end;
  }
  return out + harmless(std::string_view{snippet.text}.substr(at));
}

std::string parties(const Event& event) {
  std::string out = harmless(event.from);
  if (!event.room.empty()) return out + " in " + harmless(event.room);
  if (event.to.empty()) return out;
  out += " → " + harmless(event.to.front());
  if (event.to.size() > 1) out += fmt::format(" and {} more", event.to.size() - 1);
  return out;
}

std::string verdict_words(const Decision& decision) {
  if (decision.verdict == Verdict::forward) return {};
  const std::string rule = decision.rule.empty() ? "" : " by " + harmless(decision.rule);
  return fmt::format("  [{}{}]", to_string(decision.verdict), rule);
}

std::string short_time(Instant time) { return to_rfc3339(time).substr(0, 19) + "Z"; }

void print_deliveries(std::ostream& out, const std::vector<Delivery>& deliveries) {
  constexpr std::size_t kShown = 5;
  for (std::size_t i = 0; i < std::min(kShown, deliveries.size()); ++i)
    out << fmt::format("    delivered to {} at {}{}\n", harmless(deliveries[i].to), short_time(deliveries[i].time),
                       deliveries[i].matched_copy ? " (a later copy)" : "");
  if (deliveries.size() > kShown) out << fmt::format("    … and {} more deliveries\n", deliveries.size() - kShown);
}

void print_change(std::ostream& out, const archive::Change& change) {
  const Event& event = change.record.event;
  const std::string text = harmless(text_to_show(event));
  const char* what = event.kind == Kind::edit         ? "changed to"
                     : event.kind == Kind::retraction ? "retracted"
                                                      : "reaction";
  out << fmt::format("    {} at {} by {} (#{}){}{}\n", what, short_time(change.record.time), harmless(event.from),
                     change.index, text.empty() ? "" : ": ", text);
}

void print_hit(std::ostream& out, const archive::Hit& hit, const std::vector<archive::Term>& terms, bool bold) {
  const Event& event = hit.record.event;
  const std::string kind = event.kind == Kind::message ? "" : fmt::format("  ({})", to_string(event.kind));
  out << fmt::format("{}  {}{}{}\n", short_time(hit.record.time), parties(event), kind,
                     verdict_words(hit.record.decision));
  const std::string text = text_to_show(event);
  if (!text.empty()) out << "    " << marked(archive::make_snippet(text, terms, kSnippetWidth), bold) << '\n';
  if (hit.record.decision.verdict == Verdict::redact) out << "    (the receiver saw it redacted)\n";
  for (const auto& change : hit.changes) print_change(out, change);
  print_deliveries(out, hit.deliveries);
  out << fmt::format("    {}#{}\n", hit.log, hit.index);
}

void print_coverage(std::ostream& out, const archive::LogCoverage& log) {
  if (log.complete_to == 0)
    out << fmt::format("{} is not indexed: run `chancery archive reindex`\n", log.log);
  else
    out << fmt::format("{}: complete up to record {}, {}\n", log.log, log.complete_to - 1,
                       log.newest ? short_time(*log.newest) : "");
  for (const auto& file : log.damaged)
    out << fmt::format("  damaged: {}; its records are not in this answer: run `chancery archive reindex`\n", file);
}

void print_answer(const Context& context, const archive::Answer& answer, const archive::Query& query) {
  const auto terms = archive::terms_of(query.text);
  const bool bold = &context.out == &std::cout && stdout_is_terminal();
  for (const auto& hit : answer.hits) print_hit(context.out, hit, terms, bold);
  if (answer.hits.empty()) context.out << "Nothing was found.\n";
  if (answer.more) context.out << fmt::format("There is more: these are the newest {}.\n", answer.hits.size());
  for (const auto& log : answer.logs) print_coverage(context.err, log);
}

void write_deliveries(JsonWriter& json, const std::vector<Delivery>& deliveries) {
  json.key("deliveries").begin_array();
  for (const auto& delivery : deliveries) {
    json.begin_object().member("to", delivery.to).member("time", to_rfc3339(delivery.time));
    json.key("session");
    delivery.session.is_nil() ? json.null() : json.value(delivery.session.hex());
    json.member("matched_copy", delivery.matched_copy).end_object();
  }
  json.end_array();
}

std::string answer_json(const archive::Answer& answer, const archive::Query& query) {
  const auto terms = archive::terms_of(query.text);
  std::string text;
  JsonWriter json{text};
  json.begin_object().key("hits").begin_array();
  for (const auto& hit : answer.hits) {
    json.begin_object().key("record").raw(to_json(hit.record, hit.log, hit.index).at(0));
    json.member("snippet", archive::make_snippet(text_to_show(hit.record.event), terms, kSnippetWidth).text);
    json.key("changes").begin_array();
    for (const auto& change : hit.changes) json.raw(to_json(change.record, hit.log, change.index).at(0));
    json.end_array();
    write_deliveries(json, hit.deliveries);
    json.end_object();
  }
  json.end_array().member("more", answer.more).key("logs").begin_array();
  for (const auto& log : answer.logs) {
    json.begin_object().member("log", log.log).member("complete_to", log.complete_to).key("newest");
    log.newest ? json.value(to_rfc3339(*log.newest)) : json.null();
    json.key("damaged").begin_array();
    for (const auto& file : log.damaged) json.value(file);
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return text;
}

Exit run_search(const Context& context, Arguments arguments) {
  const archive::Paths paths = arguments.archive.open();
  arguments.query.since = parse_time("--since", arguments.since);
  arguments.query.until = parse_time("--until", arguments.until);
  const auto logs = archive::origins_of(archive::list_logs(paths.archive));
  const auto answer = archive::search(paths.index, logs, arguments.query);
  if (!answer) throw Failure(answer.error());
  if (context.json)
    context.out << answer_json(*answer, arguments.query) << '\n';
  else
    print_answer(context, *answer, arguments.query);
  return Exit::ok;
}

void add_filters(CLI::App& command, archive::Query& query) {
  command.add_option("--from", query.from, "Who said it: an address, its part before '@', or a nick; several: any");
  command.add_option("--to", query.to, "Whom it was addressed to; likewise");
  command.add_option("--room", query.room, "In which room or channel; likewise");
  command.add_option("--network", query.network, "On which network (the route's name)");
  command.add_option("--kind", query.kind, "message, edit, retraction, file_offer, sign_in, outage, …");
  command.add_option("--rule", query.rule, "A rule of the policy that matched");
  command.add_option("--verdict", query.verdict, "forward, flag, redact, refuse or hold");
  command.add_option("--limit", query.limit, "How many, the newest first")
      ->check(CLI::Range(std::uint32_t{1}, archive::kSearchLimitMax))
      ->capture_default_str();
}

}  // namespace

void add_search(CLI::App& root, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_command(
      root, context, "search", "Find messages, newest first",
      "  chancery search -d demo budget\n"
      "  chancery search -d demo '\"quarterly results\" OR NEAR(guarantee return, 3)' --from alice@im.test\n"
      "  chancery search -d demo 'confiden* NOT draft' --since 2026-05-01 --until 2026-06-01 --limit 20\n"
      "  chancery search -d demo --room tea --kind message --json\n"
      "QUERY is made of words, \"phrases\", prefix*, NEAR(word word, 5), AND, OR, NOT and parentheses; all words must\n"
      "occur; upper and lower case and diacritics do not matter. docs/guide/search.md tells more.");
  add_archive_option(*command, arguments->archive);
  command->add_option("QUERY", arguments->query.text, "What to look for; left out: whatever the options let through");
  add_filters(*command, arguments->query);
  command->add_option("--since", arguments->since, "Not before this date or time (UTC unless it says otherwise)");
  command->add_option("--until", arguments->until, "Before this date or time");
  on_run(*command, context, [&context, arguments] { return run_search(context, *arguments); });
}

}  // namespace chancery::app
