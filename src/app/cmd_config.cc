// chancery config …: would the gateway start with this file, and would it serve?
#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <iterator>

#include "app/command.h"
#include "app/commands.h"
#include "app/config_probe.h"
#include "app/config_secrets.h"
#include "config/check.h"
#include "config/load.h"
#include "core/json.h"

namespace chancery::app {
namespace {

using config::Finding;
using Weight = Finding::Weight;

constexpr std::chrono::seconds kProbeSeconds{10};

gateway::Config load(const std::string& file) {
  try {
    return config::load(file);
  } catch (const yaml::Error& error) {
    throw Failure(error.what(), Exit::wrong);
  }
}

void probe(const gateway::Config& config, std::vector<Finding>& findings) {
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const auto& listener = config.listeners[i];
    if (listener.protocol != "xmpp") continue;
    const auto place = fmt::format("listeners[{}] {}", i, listener.name);
    const auto result = probe_xmpp(listener.route, listener.host, kProbeSeconds);
    for (auto& sentence : explain(result))
      findings.push_back({result.error.empty() ? Weight::warning : Weight::error, place, std::move(sentence)});
  }
}

void print(const Context& context, const std::string& file, const std::vector<Finding>& findings, std::size_t errors) {
  const auto name = [](Weight weight) { return weight == Weight::error ? "error" : "warning"; };
  if (context.json) {
    std::string json;
    JsonWriter writer{json};
    writer.begin_object().member("file", file).member("ok", errors == 0).key("findings").begin_array();
    for (const auto& [weight, place, sentence] : findings)
      writer.begin_object().member("weight", name(weight)).member("place", place).member("text", sentence).end_object();
    writer.end_array().end_object();
    context.out << json << '\n';
    return;
  }
  for (const auto& [weight, place, sentence] : findings)
    context.out << fmt::format("{}: {}: {}: {}\n", file, name(weight), place, sentence);
  context.out << fmt::format("{}: {} errors, {} warnings\n", file, errors, findings.size() - errors);
}

Exit check(const Context& context, const std::string& file, bool offline) {
  const auto config = load(file);
  const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  auto findings = config::check(config, now);
  std::ranges::move(check_secrets(config), std::back_inserter(findings));
  if (!offline) probe(config, findings);
  const auto errors = static_cast<std::size_t>(std::ranges::count(findings, Weight::error, &Finding::weight));
  print(context, file, findings, errors);
  return errors == 0 ? Exit::ok : Exit::wrong;
}

}  // namespace

void add_config(CLI::App& root, Context& context) {
  struct Options {
    std::string file;
    bool offline = false;
  };
  auto options = std::make_shared<Options>();
  CLI::App* group = add_group(root, context, "config", "Check a gateway's configuration",
                              "  chancery config check /etc/chancery/gateway.yaml");
  CLI::App* checking =
      add_command(*group, context, "check", "Say whether the gateway would start with this file, and would serve",
                  "  chancery config check gateway.yaml\n"
                  "  chancery config check gateway.yaml --offline --json\n"
                  "Asks each XMPP server behind the gateway, which leaves one failed sign-in of\n"
                  "chancery-config-check in its log. Exit 1: something is wrong; warnings alone are 0.");
  checking->add_option("FILE", options->file, "The configuration")->required();
  checking->add_flag("--offline", options->offline, "Do not connect to any server");
  on_run(*checking, context, [&context, options] { return check(context, options->file, options->offline); });
}

}  // namespace chancery::app
