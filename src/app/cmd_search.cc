// chancery search: finds messages in the index.
#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iostream>
#include <thread>

#include "app/command.h"
#include "app/commands.h"
#include "app/terminal.h"
#include "archive/logs.h"
#include "archive/seal/checkpoint_store.h"
#include "archive/search.h"
#include "archive/snippet.h"
#include "core/json.h"
#include "event/mask.h"

namespace chancery::app {
namespace {

constexpr std::size_t kSnippetWidth = 120;  // characters

// An index that a running gateway keeps is given this long to reach what was published when the search began.
constexpr std::chrono::seconds kIndexPatience{2};
constexpr std::chrono::milliseconds kLookAgainAfter{20};

struct Arguments {
  ArchiveOption archive;
  archive::Query query;
  std::vector<std::string> words;
  std::string since, until;
};

// An answer, and how much of each log it had to cover.
struct Found {
  archive::Answer answer;
  std::vector<std::uint64_t> published;  // of each log in `answer.logs`: records under a checkpoint

  bool covers(std::size_t log) const {
    const auto& coverage = answer.logs[log];
    return coverage.complete_to > 0 && coverage.complete_to >= published[log] && coverage.damaged.empty();
  }
  bool is_complete() const {
    for (std::size_t i = 0; i < answer.logs.size(); ++i)
      if (!covers(i)) return false;
    return true;
  }
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

std::string verdict_words(const Record& record) {
  const Decision& decision = record.decision;
  if (record.seen) return fmt::format("  [seen by {}]", harmless(record.network));
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
  out << fmt::format("{}  {}{}{}\n", short_time(hit.record.time), parties(event), kind, verdict_words(hit.record));
  const std::string text = text_to_show(event);
  if (!text.empty()) out << "    " << marked(archive::make_snippet(text, terms, kSnippetWidth), bold) << '\n';
  if (hit.record.decision.verdict == Verdict::redact) out << "    (the receiver saw it redacted)\n";
  for (const auto& change : hit.changes) print_change(out, change);
  print_deliveries(out, hit.deliveries);
  out << fmt::format("    {}#{}\n", hit.log, hit.index);
}

void print_coverage(std::ostream& out, const archive::LogCoverage& log, std::uint64_t published) {
  if (log.complete_to == 0)
    out << fmt::format("{} is not indexed: run `chancery archive reindex`\n", log.log);
  else
    out << fmt::format("{}: complete up to record {}, {}\n", log.log, log.complete_to - 1,
                       log.newest ? short_time(*log.newest) : "");
  if (log.complete_to > 0 && log.complete_to < published)
    out << fmt::format("  records {} to {} are not indexed yet: run `chancery archive reindex --missing`\n",
                       log.complete_to, published - 1);
  for (const auto& file : log.damaged)
    out << fmt::format("  damaged: {}; its records are not in this answer: run `chancery archive reindex`\n", file);
}

// What to try next, where the query itself suggests it.
std::string nothing_found(const archive::Query& query, const std::vector<archive::Term>& terms) {
  const bool has_operators = query.text.find_first_of("\"()") != std::string::npos ||
                             query.text.find(" OR ") != std::string::npos ||
                             query.text.find(" NOT ") != std::string::npos;
  if (terms.size() < 2 || has_operators) return "Nothing was found.\n";
  return fmt::format(
      "Nothing was found: no message holds all of these words. Put OR between them to find any of them.\n");
}

void print_answer(const Context& context, const Found& found, const archive::Query& query) {
  const archive::Answer& answer = found.answer;
  const auto terms = archive::terms_of(query.text);
  const bool bold = &context.out == &std::cout && stdout_is_terminal();
  for (const auto& hit : answer.hits) print_hit(context.out, hit, terms, bold);
  if (answer.hits.empty()) context.out << nothing_found(query, terms);
  if (answer.more) context.out << fmt::format("There is more: these are the newest {}.\n", answer.hits.size());
  for (std::size_t i = 0; i < answer.logs.size(); ++i) print_coverage(context.err, answer.logs[i], found.published[i]);
  if (!found.is_complete()) context.err << "This answer is not complete: what is not indexed was not searched.\n";
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

std::string answer_json(const Found& found, const archive::Query& query) {
  const archive::Answer& answer = found.answer;
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
  json.end_array().member("more", answer.more).member("complete", found.is_complete()).key("logs").begin_array();
  for (std::size_t i = 0; i < answer.logs.size(); ++i) {
    const archive::LogCoverage& log = answer.logs[i];
    json.begin_object().member("log", log.log).member("complete", found.covers(i));
    json.member("published", found.published[i]).member("complete_to", log.complete_to).key("newest");
    log.newest ? json.value(to_rfc3339(*log.newest)) : json.null();
    json.key("damaged").begin_array();
    for (const auto& file : log.damaged) json.value(file);
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return text;
}

// What is published is promised to be found; the indexer of a running gateway may be a moment behind it.
void await_index(const archive::Paths& paths, const archive::Log& log, std::uint64_t published) {
  const auto until = std::chrono::steady_clock::now() + kIndexPatience;
  const auto is_behind = [&] {
    const auto coverage = archive::coverage(paths.index, {log.origin}, false).at(0);
    return coverage.complete_to > 0 && coverage.complete_to < published && coverage.damaged.empty();
  };
  while (!log.at_rest && is_behind() && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(kLookAgainAfter);
}

Exit run_search(const Context& context, Arguments arguments) {
  const archive::Paths paths = arguments.archive.open();
  arguments.query.text = fmt::format("{}", fmt::join(arguments.words, " "));
  arguments.query.since = parse_time("--since", arguments.since);
  arguments.query.until = parse_time("--until", arguments.until);
  const auto logs = archive::list_logs(paths.archive);
  Found found;
  for (const auto& log : logs) {
    found.published.push_back(seal::published_size(journal::posix_disk(), log.folder));
    await_index(paths, log, found.published.back());
  }
  auto answer = archive::search(paths.index, archive::origins_of(logs), arguments.query);
  if (!answer) throw Failure(answer.error());
  found.answer = *std::move(answer);
  if (context.json)
    context.out << answer_json(found, arguments.query) << '\n';
  else
    print_answer(context, found, arguments.query);
  return found.is_complete() ? Exit::ok : Exit::unsure;
}

void add_filters(CLI::App& command, archive::Query& query) {
  add_repeatable(command, "--from", query.from,
                 "Who said it: an address, its part before '@', or a nick; several: any");
  add_repeatable(command, "--to", query.to, "Whom it was addressed to; likewise");
  add_repeatable(command, "--room", query.room, "In which room or channel; likewise");
  command.add_option("--network", query.network, "On which network (the route's name)");
  command.add_option("--kind", query.kind, "message, edit, retraction, file_offer, sign_in, outage, …");
  command.add_option("--rule", query.rule, "A rule of the policy that matched");
  command.add_option("--verdict", query.verdict, "forward, flag, redact, refuse, hold or seen");
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
      "  chancery search -d demo budget meeting\n"
      "  chancery search -d demo '\"quarterly results\" OR NEAR(guarantee return, 3)' --from alice@im.test\n"
      "  chancery search -d demo 'confiden* NOT draft' --since 2026-05-01 --until 2026-06-01 --limit 20\n"
      "  chancery search -d demo --room tea --kind message --json\n"
      "QUERY is made of words, \"phrases\", prefix*, NEAR(word word, 5), AND, OR, NOT and parentheses; all words must\n"
      "occur; upper and lower case and diacritics do not matter. Put quotation marks, stars and parentheses between\n"
      "'…', or the shell takes them. docs/guide/search.md tells more.\n"
      "Exit code 2: the query was not understood, or the index does not cover all that is published, so the answer\n"
      "may miss something (\"complete\":false with --json).");
  add_archive_option(*command, arguments->archive);
  command->add_option("QUERY", arguments->words, "What to look for; left out: whatever the options let through");
  add_filters(*command, arguments->query);
  command->add_option("--since", arguments->since, "Not before this date or time (UTC unless it says otherwise)");
  command->add_option("--until", arguments->until, "Before this date or time");
  on_run(*command, context, [&context, arguments] { return run_search(context, *arguments); });
}

}  // namespace chancery::app
