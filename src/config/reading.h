#pragma once
// Inside the module: what the readers of the file's parts share.
#include <filesystem>
#include <string>
#include <string_view>

#include "config/load.h"
#include "gateway/config.h"
#include "yaml/yaml.h"

namespace chancery::config {

std::filesystem::path read_path(const yaml::Value& value, const std::filesystem::path& folder);
gateway::Address read_address(const yaml::Value& value, bool literal);
// [a-z0-9][a-z0-9.-]{0,62}, the alphabet of a log's origin (docs/formats/archive.md).
std::string read_name(const yaml::Value& value);

gateway::Limits read_limits(const yaml::Value& value);
gateway::Listener read_listener(const yaml::Value& value, const Surroundings& around);

}  // namespace chancery::config
