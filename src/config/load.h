#pragma once
// The gateway's configuration from YAML. docs/guide/configuration.md tells the operator,
// docs/formats/gateway.schema.json says the same to tools; a test holds schema and loader together.
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "gateway/config.h"
#include "yaml/yaml.h"

namespace chancery::config {

// Reads no other file than `file`: that certificates, keys and folders exist is `check`'s work. Throws yaml::Error,
// or std::system_error when the file cannot be read.
gateway::Config load(const std::filesystem::path& file);

// What `parse` reads beside the text.
struct Surroundings {
  std::string name;              // of the file, for messages
  std::filesystem::path folder;  // where relative paths start
  std::span<const Protocol* const> protocols;
  yaml::KnownKeys* known = nullptr;  // for tests: collects the keys of each place
};

// A sensor's `archive:`: the keys of a gateway's file that concern its log, and `folder` for the archive's own. What
// else a gateway's configuration holds is left as it is made.
gateway::Config read_log(const yaml::Value& section, const std::filesystem::path& folder);

gateway::Config parse(std::string_view text, const Surroundings& around);

}  // namespace chancery::config
