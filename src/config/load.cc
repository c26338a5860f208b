#include "config/load.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "codec/registry.h"
#include "config/address.h"
#include "config/policy_file.h"
#include "config/reading.h"

namespace chancery::config {

using namespace std::string_view_literals;

std::filesystem::path read_path(const yaml::Value& value, const std::filesystem::path& folder) {
  return (folder / value.text_not_empty()).lexically_normal();
}

gateway::Address read_address(const yaml::Value& value, bool literal) {
  const auto text = value.text();
  const auto address = parse_address(text);
  if (!address) value.fail("not an address: write host:port or [v6 address]:port");
  if (literal && !is_ip_literal(address->host))
    value.fail("an address to listen on is a literal one: 127.0.0.1:5222, 0.0.0.0:5222, [::]:5222");
  return *address;
}

std::string read_name(const yaml::Value& value) {
  constexpr std::size_t kNameSizeMax = 63;
  auto name = value.text();
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const bool valid = !name.empty() && name.size() <= kNameSizeMax && plain(name.front()) &&
                     std::ranges::all_of(name, [&](char c) { return plain(c) || c == '.' || c == '-'; });
  if (!valid) value.fail("not a name: 1 to 63 of a-z, 0-9, dot and hyphen, beginning with a letter or digit");
  return name;
}

namespace {

constexpr std::array kKeys = {"site"sv,   "node"sv,      "archive"sv, "index"sv,   "keys"sv, "state"sv,
                              "signer"sv, "witnesses"sv, "policy"sv,  "metrics"sv, "log"sv,  "heartbeat_seconds"sv,
                              "limits"sv, "listeners"sv};
constexpr std::array kLogKeys = {"folder"sv, "site"sv,  "node"sv,   "index"sv,
                                 "keys"sv,   "state"sv, "signer"sv, "witnesses"sv};
constexpr std::array kSignerKeys = {"key_file"sv, "socket"sv};
constexpr std::array kWitnessKeys = {"name"sv, "url"sv, "vkey"sv, "ca"sv};
constexpr std::array kLogFormats = {"auto"sv, "plain"sv, "json"sv, "journald"sv};

constexpr std::size_t kListenersMax = 256;
constexpr std::size_t kWitnessesMax = 32;

gateway::Signer read_signer(const yaml::Value& value, const std::filesystem::path& folder) {
  const auto map = value.map(kSignerKeys);
  gateway::Signer signer;
  if (const auto file = map.find("key_file")) signer.key_file = read_path(*file, folder);
  if (const auto socket = map.find("socket")) signer.socket = read_path(*socket, folder);
  if (signer.key_file.empty() == signer.socket.empty()) value.fail("exactly one of key_file and socket is needed");
  return signer;
}

gateway::Witness read_witness(const yaml::Value& value, const std::filesystem::path& folder) {
  const auto map = value.map(kWitnessKeys);
  gateway::Witness witness;
  witness.name = map.at("name").text_not_empty();
  const auto url = map.at("url");
  witness.url = url.text();
  if (!witness.url.starts_with("http://") && !witness.url.starts_with("https://"))
    url.fail("not a URL: http://… or https://…");
  // C2SP signed-note: "<name>+<8 hex digits>+<base64>". The key itself is checked where it is used.
  const auto vkey = map.at("vkey");
  witness.vkey = vkey.text();
  if (std::ranges::count(witness.vkey, '+') < 2) vkey.fail("not a verifier key: name+hash+base64");
  if (const auto ca = map.find("ca")) {
    if (!witness.url.starts_with("https://")) ca->fail("there is nothing to check where the url is not https");
    witness.ca = read_path(*ca, folder);
  }
  return witness;
}

std::vector<gateway::Witness> read_witnesses(const yaml::Value& value, const std::filesystem::path& folder) {
  std::vector<gateway::Witness> witnesses;
  for (const auto& item : value.list()) {
    if (witnesses.size() == kWitnessesMax) item.fail(fmt::format("more than {} witnesses", kWitnessesMax));
    witnesses.push_back(read_witness(item, folder));
    for (std::size_t i = 0; i + 1 < witnesses.size(); ++i)
      if (witnesses[i].vkey == witnesses.back().vkey) item.fail("this vkey is listed twice");
  }
  return witnesses;
}

std::vector<gateway::Listener> read_listeners(const yaml::Value& value, const Surroundings& around) {
  std::vector<gateway::Listener> listeners;
  for (const auto& item : value.list()) {
    if (listeners.size() == kListenersMax) item.fail(fmt::format("more than {} listeners", kListenersMax));
    auto listener = read_listener(item, around);
    for (const auto& earlier : listeners) {
      if (earlier.name == listener.name) item.fail(fmt::format("a second listener named {}", listener.name));
      if (earlier.address == listener.address && listener.address.port != 0)
        item.fail(fmt::format("{} already belongs to {}", to_string(listener.address), earlier.name));
    }
    listeners.push_back(std::move(listener));
  }
  if (listeners.empty()) value.fail("empty: a gateway needs at least one listener");
  return listeners;
}

// Folders beside the archive, never in it: the archive holds evidence only (docs/formats/archive.md).
void read_folders(const yaml::Map& map, std::string_view archive, const std::filesystem::path& folder,
                  gateway::Config& config) {
  config.archive = read_path(map.at(archive), folder);
  if (!config.archive.has_filename()) config.archive = config.archive.parent_path();  // a closing slash
  const auto beside = [&](std::string_view key, std::string_view suffix) {
    const auto given = map.find(key);
    auto path =
        given ? read_path(*given, folder) : std::filesystem::path{config.archive.native() + std::string{suffix}};
    const auto from_archive = path.lexically_relative(config.archive);
    if (given && !from_archive.empty() && *from_archive.begin() != "..")
      given->fail("must not lie in the archive, which holds evidence only");
    return path;
  };
  config.index = beside("index", ".index");
  config.keys = beside("keys", ".keys");
  config.state = beside("state", ".state");
}

// What a log is called, where it lies, who signs for it.
gateway::Config read_log(const yaml::Map& map, std::string_view archive, const std::filesystem::path& folder) {
  gateway::Config config;
  config.site = read_name(map.at("site"));
  config.node = read_name(map.at("node"));
  read_folders(map, archive, folder, config);
  config.signer = read_signer(map.at("signer"), folder);
  if (const auto witnesses = map.find("witnesses")) config.witnesses = read_witnesses(*witnesses, folder);
  return config;
}

}  // namespace

gateway::Config read_log(const yaml::Value& section, const std::filesystem::path& folder) {
  return read_log(section.map(kLogKeys), "folder", folder);
}

gateway::Config parse(std::string_view text, const Surroundings& around) {
  constexpr std::int64_t kHeartbeatSecondsMax = 3'600;
  const auto root = yaml::Value::parse(text, around.name, around.known);
  const auto map = root.map(kKeys);
  gateway::Config config = read_log(map, "archive", around.folder);
  if (const auto policy = map.find("policy")) config.policy = read_path(*policy, around.folder);
  if (const auto metrics = map.find("metrics")) config.metrics = read_address(*metrics, true);
  if (const auto log = map.find("log")) config.log = static_cast<gateway::LogFormat>(log->choice(kLogFormats));
  if (const auto beat = map.find("heartbeat_seconds"))
    config.heartbeat_seconds = std::chrono::seconds{beat->number(1, kHeartbeatSecondsMax)};
  if (const auto limits = map.find("limits")) config.limits = read_limits(*limits);
  config.listeners = read_listeners(map.at("listeners"), around);
  return config;
}

gateway::Config load(const std::filesystem::path& file) {
  const auto absolute = std::filesystem::absolute(file);
  auto config = parse(read_text(file), {file.string(), absolute.parent_path(), gateway_protocols(), nullptr});
  config.file = absolute;
  return config;
}

}  // namespace chancery::config
