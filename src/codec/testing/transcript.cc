#include "codec/testing/transcript.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "codec/testing/escape.h"

namespace chancery::testing {
namespace {

using Problem = std::optional<std::string>;  // nullopt: all is well

template <class Value>
using Names = std::initializer_list<std::pair<std::string_view, Value>>;

template <class Value>
Problem choose(std::string_view text, Names<Value> names, Value& out) {
  std::string valid;
  for (const auto& [name, value] : names) {
    if (name == text) {
      out = value;
      return std::nullopt;
    }
    valid += (valid.empty() ? "" : ", ") + std::string{name};
  }
  return fmt::format("\"{}\" is none of: {}", text, valid);
}

template <class Number>
Problem number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size()) return fmt::format("\"{}\" is not a number", text);
  return std::nullopt;
}

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// "a b" → {"a", "b"}: the first word and the rest.
std::pair<std::string_view, std::string_view> split(std::string_view text) {
  const std::size_t space = text.find(' ');
  if (space == std::string_view::npos) return {text, {}};
  return {text.substr(0, space), trim(text.substr(space + 1))};
}

// The octets of `"…"` at the start of `text`, which is moved past them.
std::expected<Buffer, std::string> take_quoted(std::string_view& text) {
  if (!text.starts_with('"')) return std::unexpected("a quoted text is expected");
  std::size_t end = 1;
  while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2U : 1U;
  if (end >= text.size()) return std::unexpected("a quoted text without its closing quote");
  auto octets = unescape(text.substr(1, end - 1));
  text = trim(text.substr(end + 1));
  return octets;
}

Problem parse_mask(std::string_view text, Mask& mask) {
  const std::size_t colon = text.find(':');
  const std::size_t dash = text.find('-');
  if (colon == std::string_view::npos || dash == std::string_view::npos || dash < colon)
    return "a mask is \"word\" or part:begin-end";
  if (auto problem = number(text.substr(0, colon), mask.part)) return problem;
  if (auto problem = number(text.substr(colon + 1, dash - colon - 1), mask.begin)) return problem;
  return number(text.substr(dash + 1), mask.end);
}

// `refuse "notice"`, `redact "word" 0:3-7`, `flag`, `hold`, `forward`.
Problem parse_decision(std::string_view text, DecisionSpec& spec) {
  spec.source = std::string{text};
  auto [name, rest] = split(text);
  if (auto problem = choose<Verdict>(name,
                                     {{"forward", Verdict::forward},
                                      {"flag", Verdict::flag},
                                      {"redact", Verdict::redact},
                                      {"refuse", Verdict::refuse},
                                      {"hold", Verdict::hold}},
                                     spec.verdict))
    return problem;
  while (!rest.empty()) {
    if (rest.front() == '"') {
      auto octets = take_quoted(rest);
      if (!octets) return octets.error();
      if (spec.verdict == Verdict::redact)
        spec.words.push_back(std::move(*octets));
      else
        spec.notice = std::move(*octets);
      continue;
    }
    const auto [item, others] = split(rest);
    Mask mask;
    if (auto problem = parse_mask(item, mask)) return problem;
    spec.masks.push_back(mask);
    rest = others;
  }
  return std::nullopt;
}

Problem parse_limit(std::string_view value, Limits& limits) {
  const auto [name, amount] = split(value);
  std::uint32_t* field = nullptr;
  if (auto problem = choose<std::uint32_t*>(name,
                                            {{"unit_size_max", &limits.unit_size_max},
                                             {"depth_max", &limits.depth_max},
                                             {"attributes_max", &limits.attributes_max},
                                             {"targets_max", &limits.targets_max},
                                             {"members_max", &limits.members_max},
                                             {"rooms_max", &limits.rooms_max},
                                             {"unacked_max", &limits.unacked_max}},
                                            field))
    return problem;
  return number(amount, *field);
}

Problem parse_flag(std::string_view value, bool& out) {
  return choose<bool>(value, {{"yes", true}, {"no", false}}, out);
}

Problem parse_tls(std::string_view value, Start::Tls& out) {
  return choose<Start::Tls>(
      value, {{"none", Start::Tls::none}, {"starttls", Start::Tls::starttls}, {"direct", Start::Tls::direct}}, out);
}

Problem parse_time(std::string_view value, Instant& out) {
  const auto time = parse_rfc3339(value);
  if (!time) return "not an RFC 3339 time";
  out = *time;
  return std::nullopt;
}

// Nullopt inside the optional: done. `known` says whether `key` is a setting at all.
Problem parse_setting(std::string_view key, std::string_view value, Transcript& into, bool& known) {
  known = true;
  if (key == "protocol") return into.protocol = std::string{value}, std::nullopt;
  if (key == "lines") return choose<bool>(value, {{"crlf", true}, {"none", false}}, into.crlf);
  if (key == "boundary") return choose<bool>(value, {{"datagram", true}, {"stream", false}}, into.datagrams);
  if (key == "client_tls") return parse_tls(value, into.start.client_tls);
  if (key == "server_tls") return parse_tls(value, into.start.server_tls);
  if (key == "mode")
    return choose<Start::Mode>(value, {{"fresh", Start::Mode::fresh}, {"midstream", Start::Mode::midstream}},
                               into.start.mode);
  if (key == "client_host") return into.start.client_host = std::string{value}, std::nullopt;
  if (key == "nonce") return into.start.nonce = std::string{value}, std::nullopt;
  if (key == "passive") return parse_flag(value, into.start.passive);
  if (key == "record_presence") return parse_flag(value, into.start.record_presence);
  if (key == "limit") return parse_limit(value, into.limits);
  if (key == "time") return parse_time(value, into.begin);
  known = false;
  return std::nullopt;
}

Problem parse_side(std::string_view text, Side& side) {
  return choose<Side>(text, {{"C", Side::client}, {"S", Side::server}}, side);
}

// `gap: C 12`, `inject: C some text`
Problem parse_sided(std::string_view value, Step& step) {
  const auto [side, rest] = split(value);
  if (auto problem = parse_side(side, step.side)) return problem;
  if (step.what == Step::What::gap) return number(rest, step.lost);
  if (step.what == Step::What::finish) return std::nullopt;
  auto octets = unescape(rest);
  if (!octets) return octets.error();
  step.octets = std::move(*octets);
  return std::nullopt;
}

Problem parse_ending(std::string_view value, Step& step) {
  using E = Codec::Ending;
  return choose<E>(value,
                   {{"peer_error", E::peer_error},
                    {"upstream_lost", E::upstream_lost},
                    {"upstream_unreachable", E::upstream_unreachable},
                    {"shutdown", E::shutdown},
                    {"not_recorded", E::not_recorded},
                    {"idle", E::idle},
                    {"overloaded", E::overloaded}},
                   step.ending);
}

// `clock: +30s`, `clock: +250ms`
Problem parse_advance(std::string_view value, Duration& out) {
  std::int64_t amount = 0;
  if (value.starts_with('+') && value.ends_with("ms")) {
    auto problem = number(value.substr(1, value.size() - 3), amount);
    out = std::chrono::milliseconds{amount};
    return problem;
  }
  if (value.starts_with('+') && value.ends_with('s')) {
    auto problem = number(value.substr(1, value.size() - 2), amount);
    out = std::chrono::seconds{amount};
    return problem;
  }
  return "a clock step is +Ns or +Nms";
}

// `C: octets` (with the line end of `lines:`) and `C| octets` (as they stand).
Problem parse_wire(std::string_view line, bool crlf, Step& step) {
  step.side = line.front() == 'C' ? Side::client : Side::server;
  const std::string_view text = line.size() > 2 && line[2] == ' ' ? line.substr(3) : line.substr(2);
  auto octets = unescape(text);
  if (!octets) return octets.error();
  step.octets = std::move(*octets);
  if (crlf && line[1] == ':') step.octets += "\r\n";
  return std::nullopt;
}

Problem parse_action(std::string_view key, std::string_view value, Step& step) {
  using W = Step::What;
  if (auto problem = choose<W>(key,
                               {{"start", W::start},
                                {"finish", W::finish},
                                {"gap", W::gap},
                                {"inject", W::inject},
                                {"inject-about", W::inject_about},
                                {"end", W::end},
                                {"clock", W::clock}},
                               step.what))
    return "unknown key: " + *problem;
  if (step.what == W::start) return std::nullopt;
  if (step.what == W::end) return parse_ending(value, step);
  if (step.what == W::clock) return parse_advance(value, step.advance);
  return parse_sided(value, step);
}

bool is_wire_line(std::string_view line) {
  return line.size() >= 2 && (line[0] == 'C' || line[0] == 'S') && (line[1] == ':' || line[1] == '|');
}

class Parser {
 public:
  std::expected<Transcript, std::string> parse(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      ++line_;
      if (auto problem = parse_line(text.substr(0, end)))
        return std::unexpected(fmt::format("line {}: {}", line_, *problem));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (into_.protocol.empty()) return std::unexpected("no `protocol:`");
    into_.footer = std::move(pending_);
    return std::move(into_);
  }

 private:
  Problem parse_line(std::string_view line) {
    if (line.empty() || line.front() == '#') {
      pending_.emplace_back(line);
      return std::nullopt;
    }
    if (line.starts_with("  ")) return parse_expectation(trim_left(line));
    if (is_wire_line(line)) {
      Step& step = new_step(line);
      return parse_wire(line, into_.crlf, step);
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return "neither a wire line, nor `key: value`, nor an indented expectation";
    return parse_key(line, line.substr(0, colon), trim(line.substr(colon + 1)));
  }

  Problem parse_key(std::string_view line, std::string_view key, std::string_view value) {
    bool known = false;
    if (auto problem = parse_setting(key, value, into_, known)) return fmt::format("{}: {}", key, *problem);
    if (!known) return parse_action(key, value, new_step(line));
    if (!into_.steps.empty()) return fmt::format("{}: settings come before the first step", key);
    into_.header.insert(into_.header.end(), pending_.begin(), pending_.end());
    into_.header.emplace_back(line);
    pending_.clear();
    return std::nullopt;
  }

  Problem parse_expectation(std::string_view text) {
    if (into_.steps.empty()) return "an expectation before the first step";
    Step& step = into_.steps.back();
    if (!text.starts_with('!')) {
      if (text.starts_with("= ") || text.starts_with("+ ")) ++events_;
      step.expected.emplace_back(text);
      return std::nullopt;
    }
    text = trim(text.substr(1));
    std::size_t place = std::max(events_, step.decisions.size() + 1);
    if (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      const auto [digits, rest] = split(text);
      if (auto problem = number(digits, place)) return problem;
      text = rest;
    }
    if (place == 0) return "events are counted from 1";
    return parse_decision(text, step.decisions[place - 1]);
  }

  static std::string_view trim_left(std::string_view text) {
    return text.substr(std::min(text.find_first_not_of(' '), text.size()));
  }

  Step& new_step(std::string_view line) {
    Step& step = into_.steps.emplace_back();
    step.line = line_;
    step.source = std::exchange(pending_, {});
    step.source.emplace_back(line);
    events_ = 0;
    return step;
  }

  Transcript into_;
  std::vector<std::string> pending_;  // comments and blank lines not yet given to a step or the header
  std::size_t line_ = 0;
  std::size_t events_ = 0;  // `=` and `+` lines seen in this step
};

void format_step(const Step& step, std::string& out) {
  for (const std::string& line : step.source) out += line + '\n';
  std::size_t events = 0;
  auto decision = step.decisions.begin();
  const auto write_decisions_until = [&](std::size_t place) {
    for (; decision != step.decisions.end() && decision->first < place; ++decision)
      out += fmt::format("  ! {}\n", decision->second.source);
  };
  for (const std::string& line : step.expected) {
    out += "  " + line + '\n';
    if (line.starts_with("= ") || line.starts_with("+ ")) write_decisions_until(++events);
  }
  for (; decision != step.decisions.end(); ++decision)  // for events that did not come: keep them findable
    out += fmt::format("  ! {} {}\n", decision->first + 1, decision->second.source);
}

}  // namespace

Decision DecisionSpec::decide(const Event& event) const {
  Decision decision;
  decision.verdict = verdict;
  decision.masks = masks;
  decision.notice = notice;
  if (verdict != Verdict::forward) decision.rule = "transcript";
  for (std::uint32_t part = 0; part < event.texts.size(); ++part) {
    const std::string& text = event.texts[part].text;
    for (const std::string& each : words) {
      if (each.empty()) continue;
      for (std::size_t at = text.find(each); at != std::string::npos; at = text.find(each, at + each.size()))
        decision.masks.push_back({part, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at + each.size())});
    }
  }
  std::ranges::sort(decision.masks, {}, [](const Mask& m) { return std::pair{m.part, m.begin}; });
  return decision;
}

std::expected<Transcript, std::string> parse_transcript(std::string_view text) { return Parser{}.parse(text); }

std::expected<Transcript, std::string> load_transcript(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) return std::unexpected(file.string() + ": cannot be read");
  std::ostringstream text;
  text << in.rdbuf();
  auto transcript = parse_transcript(text.str());
  if (!transcript) return std::unexpected(fmt::format("{}: {}", file.string(), transcript.error()));
  return transcript;
}

std::string format_transcript(const Transcript& transcript) {
  std::string out;
  for (const std::string& line : transcript.header) out += line + '\n';
  for (const Step& step : transcript.steps) format_step(step, out);
  for (const std::string& line : transcript.footer) out += line + '\n';
  return out;
}

std::vector<std::filesystem::path> list_transcripts(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  if (!std::filesystem::exists(folder)) return files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".transcript") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

}  // namespace chancery::testing
