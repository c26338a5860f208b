#include "policy/check.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <tuple>
#include <unordered_map>

#include "policy/address.h"
#include "policy/chain.h"
#include "policy/control/control.h"
#include "policy/lexicon/term.h"

namespace chancery::policy {
namespace {

class Linter {
 public:
  Linter(const Text& text, Instant now) : text_(text), now_(now), folder_(text.lexicon.fold) {}

  std::vector<Written> run() {
    for (const auto& rule : text_.control.rules) ended(rule.id, rule.line, rule.when);
    for (const auto& rule : text_.lexicon.rules) ended(rule.id, rule.line, rule.when);
    for (const auto& rule : text_.notices) ended(rule.id, rule.line, rule.when);
    control();
    for (const auto& rule : text_.lexicon.rules) lexicon(rule);
    groups();
    tests();
    std::ranges::sort(findings_, {}, [](const Written& one) { return std::tie(one.line, one.text); });
    return std::move(findings_);
  }

 private:
  void note(int line, std::string sentence) { findings_.push_back({std::move(sentence), line}); }

  void ended(const std::string& id, int line, const When& when) {
    if (when.until && *when.until <= now_) note(line, fmt::format("rule {} ended at {}", id, to_rfc3339(*when.until)));
  }

  // Every address that `narrow` means is meant by `wide` too. Patterns count as text, so this may miss a cover that
  // only a list of all addresses would show; it never claims one that is not there.
  bool covers(const std::vector<Written>& wide, const std::vector<Written>& narrow) const {
    if (wide.empty()) return true;
    if (narrow.empty()) return std::ranges::any_of(wide, [](const Written& one) { return one.text == "*"; });
    return std::ranges::all_of(narrow, [&](const Written& inner) {
      return std::ranges::any_of(wide, [&](const Written& outer) { return covers(outer.text, inner.text); });
    });
  }

  bool covers(const std::string& outer, const std::string& inner) const {
    if (outer == inner || outer == "*") return true;
    if (outer.starts_with("group:") || inner.starts_with("group:")) return in_group(outer, inner);
    const Address address(inner, Casemap::unicode);
    if (inner.find('*') == std::string::npos) return AddressSet({{outer, 0}}, {}, text_.file).matches(address);
    return glob_matches(outer, inner) && outer.find('@') != std::string::npos;
  }

  bool in_group(const std::string& outer, const std::string& inner) const {
    constexpr std::string_view kGroup = "group:";
    if (!outer.starts_with(kGroup)) return false;
    const auto group = text_.groups.find(outer.substr(kGroup.size()));
    if (group == text_.groups.end()) return false;
    return std::ranges::any_of(group->second, [&](const Written& one) {
      return one.text != outer && !one.text.starts_with(kGroup) && covers(one.text, inner);
    });
  }

  static bool lists_all(const std::vector<std::string>& wide, const std::vector<std::string>& narrow) {
    if (wide.empty()) return true;
    return !narrow.empty() && std::ranges::all_of(narrow, [&](const std::string& one) {
      return std::ranges::find(wide, one) != wide.end();
    });
  }

  bool covers(const When& wide, const When& narrow) const {
    if (!wide.between.empty() || wide.until) return false;
    if (wide.direction != Direction::any && wide.direction != narrow.direction) return false;
    const bool both = !narrow.between.empty() && (!wide.from.empty() || !wide.to.empty());
    return !both && covers(wide.from, narrow.from) && covers(wide.to, narrow.to) && covers(wide.rooms, narrow.rooms) &&
           lists_all(wide.protocols, narrow.protocols) && lists_all(wide.networks, narrow.networks);
  }

  void control() {
    const auto& rules = text_.control.rules;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const auto& rule = rules[i];
      const auto decides_before = [&](const ControlRule& earlier) {
        return earlier.action != ControlAction::flag && covers(earlier.when, rule.when);
      };
      const auto end = rules.begin() + static_cast<std::ptrdiff_t>(i);
      const auto earlier = std::find_if(rules.begin(), end, decides_before);
      if (earlier == end) continue;
      const bool shadowed = rule.action == ControlAction::allow && earlier->action == ControlAction::refuse;
      note(rule.line, fmt::format("rule {} {} by rule {} in line {}, which decides first", rule.id,
                                  shadowed ? "is shadowed" : "is made unreachable", earlier->id, earlier->line));
    }
  }

  void lexicon(const LexiconRule& rule) {
    std::unordered_map<std::string, int> seen;
    for (const auto* list : {&rule.terms, &rule.except})
      for (const auto& term : *list) {
        Folded folded;
        folder_.fold(term.text, folded);
        const auto [earlier, fresh] = seen.try_emplace(std::string{folded.text()}, term.line);
        if (!fresh)
          note(term.line,
               fmt::format("rule {}: \"{}\" is listed already, in line {}", rule.id, term.text, earlier->second));
      }
    covered_terms(rule);
    idle_exceptions(rule);
  }

  // Terms without a star that one with a star finds as well.
  void covered_terms(const LexiconRule& rule) {
    std::vector<std::pair<Term, const Written*>> wide;
    for (const auto& term : rule.terms)
      if (auto parsed = parse(term.text); parsed && !parsed->is_plain()) wide.emplace_back(*std::move(parsed), &term);
    if (wide.size() * rule.terms.size() > kComparisonsMax) return;
    for (const auto& term : rule.terms) {
      if (term.text.find('*') != std::string::npos) continue;
      for (const auto& [other, written] : wide)
        if (is_found_in(other, term.text))
          note(term.line, fmt::format("rule {}: \"{}\" is covered by \"{}\"", rule.id, term.text, written->text));
    }
  }

  void idle_exceptions(const LexiconRule& rule) {
    if (rule.except.size() * rule.terms.size() > kComparisonsMax) return;
    std::vector<Term> terms;
    for (const auto& term : rule.terms)
      if (auto parsed = parse(term.text)) terms.push_back(*std::move(parsed));
    for (const auto& exception : rule.except) {
      // What a star stands for is not known: an exception with one is believed.
      if (exception.text.find('*') != std::string::npos) continue;
      if (std::ranges::none_of(terms, [&](const Term& term) { return is_found_in(term, exception.text); }))
        note(exception.line,
             fmt::format("rule {}: the exception \"{}\" holds none of the rule's terms", rule.id, exception.text));
    }
  }

  std::optional<Term> parse(const std::string& text) const {
    std::string ignored;
    return Term::parse(text, folder_, ignored);
  }

  bool is_found_in(const Term& term, const std::string& text) {
    Folded folded;
    folder_.fold(text, folded);
    boundaries_.look_at(folded.text());
    const auto& anchor = term.anchor();
    for (auto at = folded.text().find(anchor); at != std::string_view::npos; at = folded.text().find(anchor, at + 1))
      if (term.match(folded.text(), static_cast<std::uint32_t>(at + anchor.size()), boundaries_)) return true;
    return false;
  }

  void groups() {
    std::set<std::string, std::less<>> used;
    const auto use = [&](const std::vector<Written>& patterns) {
      for (const auto& pattern : patterns)
        if (pattern.text.starts_with("group:")) used.insert(pattern.text.substr(6));
    };
    const auto use_all = [&](const When& when) {
      for (const auto* patterns : {&when.from, &when.to, &when.between, &when.rooms}) use(*patterns);
    };
    for (const auto& rule : text_.control.rules) use_all(rule.when);
    for (const auto& rule : text_.lexicon.rules) use_all(rule.when);
    for (const auto& rule : text_.notices) use_all(rule.when);
    for (const auto& [name, members] : text_.groups) use(members);
    if (used.contains("external")) used.insert("internal");
    for (const auto& [name, members] : text_.groups)
      if (!used.contains(name))
        note(members.empty() ? 0 : members.front().line, fmt::format("group {} is used by no rule", name));
  }

  void tests() {
    std::set<std::string, std::less<>> ids = {"", std::string{kControlDefaultRule}};
    for (const auto& rule : text_.control.rules) ids.insert(rule.id);
    for (const auto& rule : text_.lexicon.rules) ids.insert(rule.id);
    for (const auto& test : text_.tests)
      if (test.rule && !ids.contains(*test.rule))
        note(test.line, fmt::format("the test names the rule {}, which is not there", *test.rule));
  }

  static constexpr std::size_t kComparisonsMax = 4'000'000;  // longer lists are not compared pair by pair

  const Text& text_;
  Instant now_;
  Folder folder_;
  Boundaries boundaries_;
  std::vector<Written> findings_;
};

}  // namespace

std::vector<Written> lint(const Text& text, Instant now) { return Linter(text, now).run(); }

}  // namespace chancery::policy
