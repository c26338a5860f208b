#include "app/watch/sensor_config.h"

#include <algorithm>
#include <array>

#include "config/load.h"
#include "config/policy_file.h"
#include "sensor/classify/hosts.h"
#include "yaml/yaml.h"

namespace chancery::app::watch {
namespace {

using namespace std::string_view_literals;
using yaml::Value;

constexpr std::array kKeys = {"interface"sv, "ring_mib"sv, "snap_length"sv,    "promiscuous"sv, "user"sv,
                              "folder"sv,    "hosts"sv,    "report_seconds"sv, "inside"sv,      "gateways"sv,
                              "stopping"sv,  "blocks"sv,   "archive"sv};
constexpr std::array kStopKeys = {"action"sv, "rules"sv, "send_from"sv, "per_second"sv, "burst"sv, "kill_switch"sv};
constexpr std::array kRuleKeys = {"applications"sv, "categories"sv, "clients"sv, "servers"sv, "action"sv};
constexpr std::array kBlockKeys = {"categories"sv, "allow"sv, "never"sv, "min_flows"sv, "auto_approve"sv};
constexpr std::array kApprovalKeys = {"applications"sv, "categories"sv, "min_clients"sv, "min_flows"sv,
                                      "expires_hours"sv};
constexpr std::array kActions = {"observe"sv, "alert"sv, "reset"sv};
constexpr std::array kCategories = {"im"sv, "p2p"sv, "voip"sv, "web-im"sv, "other"sv};
static_assert(static_cast<int>(sensor::Category::other) == kCategories.size() - 1);

constexpr std::size_t kRulesMax = 1'000;

sensor::StopAction read_action(const Value& value) { return static_cast<sensor::StopAction>(value.choice(kActions)); }

std::vector<sensor::Category> read_categories(const yaml::Map& map) {
  std::vector<sensor::Category> out;
  if (const auto list = map.find("categories"))
    for (const Value& value : list->list()) out.push_back(static_cast<sensor::Category>(value.choice(kCategories)));
  return out;
}

std::vector<std::string> read_texts(const yaml::Map& map, std::string_view key) {
  const auto list = map.find(key);
  return list ? list->texts() : std::vector<std::string>{};
}

std::vector<sensor::Network> read_networks(const yaml::Map& map, std::string_view key) {
  std::vector<sensor::Network> out;
  const auto list = map.find(key);
  if (!list) return out;
  for (const Value& value : list->list()) {
    const auto network = sensor::Network::parse(value.text());
    if (!network) value.fail("not a network: write 10.0.0.0/8, 2001:db8::/32 or a single address");
    out.push_back(*network);
  }
  return out;
}

sensor::StopRule read_rule(const Value& value) {
  const auto map = value.map(kRuleKeys);
  sensor::StopRule rule;
  rule.applications = read_texts(map, "applications");
  rule.categories = read_categories(map);
  rule.clients = read_networks(map, "clients");
  rule.servers = read_networks(map, "servers");
  rule.action = read_action(map.at("action"));
  return rule;
}

void read_stopping(const Value& value, const std::filesystem::path& folder, SensorConfig& config) {
  const auto map = value.map(kStopKeys);
  if (const auto action = map.find("action")) config.stopping.otherwise = read_action(*action);
  if (const auto rules = map.find("rules"))
    for (const Value& rule : rules->list()) {
      if (config.stopping.rules.size() == kRulesMax) rule.fail("too many rules: 1000 are allowed");
      config.stopping.rules.push_back(read_rule(rule));
    }
  if (const auto from = map.find("send_from")) config.send_from = from->text_not_empty();
  if (const auto rate = map.find("per_second"))
    config.stopping.resets_per_second = static_cast<double>(rate->number(1, 100'000));
  if (const auto burst = map.find("burst"))
    config.stopping.resets_burst = static_cast<double>(burst->number(1, 100'000));
  if (const auto file = map.find("kill_switch")) config.kill_switch = folder / file->text_not_empty();
}

void read_blocks(const Value& value, SensorConfig& config) {
  const auto map = value.map(kBlockKeys);
  if (const auto categories = read_categories(map); !categories.empty())
    config.wish.categories = {categories.begin(), categories.end()};
  for (const std::string& name : read_texts(map, "allow")) config.wish.allowed_applications.insert(name);
  if (const auto never = map.find("never"))
    for (const Value& each : never->list()) {
      const std::string text = each.text();
      if (const auto network = sensor::Network::parse(text))
        config.wish.never_addresses.push_back(*network);
      else if (sensor::is_host_name(text))
        config.wish.never_names.push_back(text);
      else
        each.fail("neither a name nor an address nor a network");
    }
  if (const auto flows = map.find("min_flows"))
    config.wish.flows_min = static_cast<std::uint64_t>(flows->number(1, 1'000'000));
  const auto approvals = map.find("auto_approve");
  if (!approvals) return;
  for (const Value& each : approvals->list()) {
    const auto keys = each.map(kApprovalKeys);
    AutoApproval approval;
    approval.applications = read_texts(keys, "applications");
    approval.categories = read_categories(keys);
    if (const auto n = keys.find("min_clients"))
      approval.clients_min = static_cast<std::uint64_t>(n->number(1, 1'000'000));
    if (const auto n = keys.find("min_flows")) approval.flows_min = static_cast<std::uint64_t>(n->number(1, 1'000'000));
    if (const auto n = keys.find("expires_hours")) approval.expires = std::chrono::hours{n->number(1, 24 * 365)};
    config.auto_approve.push_back(std::move(approval));
  }
}

std::vector<sensor::Endpoint> read_gateways(const yaml::Map& map) {
  std::vector<sensor::Endpoint> out;
  const auto list = map.find("gateways");
  if (!list) return out;
  for (const Value& value : list->list()) {
    const auto endpoint = sensor::Endpoint::parse(value.text());
    if (!endpoint) value.fail("not an address: write 192.0.2.1, 192.0.2.1:5222 or [2001:db8::1]:5222");
    out.push_back(*endpoint);
  }
  return out;
}

}  // namespace

bool AutoApproval::fits(const sensor::BlockEntry& entry) const {
  const auto among = [](const auto& range, const auto& value) {
    return range.empty() || std::ranges::find(range, value) != range.end();
  };
  return among(applications, entry.application) && among(categories, entry.category) &&
         entry.client_count >= clients_min && entry.flows >= flows_min;
}

bool SensorConfig::sends() const {
  return stopping.otherwise == sensor::StopAction::reset ||
         std::ranges::any_of(stopping.rules, [](const auto& rule) { return rule.action == sensor::StopAction::reset; });
}

SensorConfig parse_sensor_config(std::string_view text, const std::string& name, const std::filesystem::path& folder) {
  const auto map = Value::parse(text, name).map(kKeys);
  SensorConfig config;
  config.interface = map.at("interface").text_not_empty();
  config.folder = folder / map.at("folder").text_not_empty();
  if (const auto ring = map.find("ring_mib"))
    config.ring_size = static_cast<std::uint32_t>(ring->number(1, 2'047)) << 20U;
  if (const auto snap = map.find("snap_length"))
    config.snap_length = static_cast<std::uint32_t>(snap->number(64, 262'144));
  if (const auto all = map.find("promiscuous")) config.promiscuous = all->boolean();
  if (const auto user = map.find("user")) config.user = user->text_not_empty();
  for (const std::string& file : read_texts(map, "hosts")) config.hosts.push_back(folder / file);
  if (const auto every = map.find("report_seconds"))
    config.report_every = std::chrono::seconds{every->number(1, 86'400)};
  if (const auto inside = read_networks(map, "inside"); !inside.empty()) config.wish.inside = inside;
  config.gateways = read_gateways(map);
  if (const auto stopping = map.find("stopping")) read_stopping(*stopping, folder, config);
  if (const auto blocks = map.find("blocks")) read_blocks(*blocks, config);
  if (const auto archive = map.find("archive")) config.archive = config::read_log(*archive, folder);
  return config;
}

SensorConfig load_sensor_config(const std::filesystem::path& file) {
  return parse_sensor_config(config::read_text(file), file.string(), file.parent_path());
}

}  // namespace chancery::app::watch
