// chancery policy …: is a policy well written, and does it do what its own tests say?
#include <chrono>
#include <fmt/format.h>

#include "app/command.h"
#include "app/commands.h"
#include "config/policy_file.h"
#include "core/json.h"
#include "policy/check.h"
#include "policy/selftest.h"

namespace chancery::app {
namespace {

Instant now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

// A policy that is not valid is an answer to the question, not a failure to ask it.
policy::Text read_policy(const std::string& file) {
  try {
    return policy::parse(config::read_text(file), file);
  } catch (const yaml::Error& error) {
    throw Failure(error.what(), Exit::wrong);
  }
}

void print(const Context& context, const policy::Text& text, std::string_view list,
           const std::vector<policy::Written>& sentences, std::string_view summary) {
  if (context.json) {
    std::string json;
    JsonWriter writer{json};
    writer.begin_object().member("file", text.file).member("revision", text.revision).key(list).begin_array();
    for (const auto& [sentence, line] : sentences)
      writer.begin_object().member("line", line).member("text", sentence).end_object();
    writer.end_array().end_object();
    context.out << json << '\n';
    return;
  }
  for (const auto& [sentence, line] : sentences) context.out << fmt::format("{}:{}: {}\n", text.file, line, sentence);
  context.out << summary << '\n';
}

std::size_t terms_of(const policy::Text& text) {
  std::size_t terms = 0;
  for (const auto& rule : text.lexicon.rules) terms += rule.terms.size();
  return terms;
}

Exit check(const Context& context, const std::string& file, bool strict) {
  const auto text = read_policy(file);
  try {
    policy::compile(text, nullptr);
  } catch (const yaml::Error& error) {
    throw Failure(error.what(), Exit::wrong);
  }
  const auto warnings = policy::lint(text, now());
  print(
      context, text, "warnings", warnings,
      fmt::format("{}: revision {}, {} control rules, {} lexicon rules with {} terms, {} notices; {}", file,
                  text.revision, text.control.rules.size(), text.lexicon.rules.size(), terms_of(text),
                  text.notices.size(), warnings.empty() ? "no warnings" : fmt::format("{} warnings", warnings.size())));
  return strict && !warnings.empty() ? Exit::wrong : Exit::ok;
}

Exit test(const Context& context, const std::string& file) {
  const auto text = read_policy(file);
  policy::SelfTestResult result;
  try {
    result = policy::run_self_tests(text, nullptr, now());
  } catch (const yaml::Error& error) {
    throw Failure(error.what(), Exit::wrong);
  }
  if (result.run == 0) throw Failure(file + " holds no tests: add `tests:`, or `must_hit:` to a rule");
  print(context, text, "failures", result.failures,
        fmt::format("{}: {} tests, {} failed", file, result.run, result.failures.size()));
  return result.failures.empty() ? Exit::ok : Exit::wrong;
}

}  // namespace

void add_policy(CLI::App& root, Context& context) {
  struct Options {
    std::string file;
    bool strict = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* group = add_group(root, context, "policy", "Check and test a policy file",
                              "  chancery policy check policy.yaml\n"
                              "  chancery policy test policy.yaml");

  CLI::App* checking = add_command(*group, context, "check", "Say what is wrong or cannot be meant in a policy",
                                   "  chancery policy check policy.yaml\n"
                                   "  chancery policy check policy.yaml --strict --json\n"
                                   "Exit 1: not valid, or (--strict) with warnings.");
  checking->add_option("FILE", options->file, "The policy")->required();
  checking->add_flag("--strict", options->strict, "Warnings count as errors");
  on_run(*checking, context, [&context, options] { return check(context, options->file, options->strict); });

  CLI::App* testing = add_command(*group, context, "test", "Run the tests that stand in a policy",
                                  "  chancery policy test policy.yaml\n"
                                  "Exit 1: a test failed, or the policy is not valid.");
  testing->add_option("FILE", options->file, "The policy")->required();
  on_run(*testing, context, [&context, options] { return test(context, options->file); });
}

}  // namespace chancery::app
