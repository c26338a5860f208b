#pragma once
// What `detect`, `blocks` and `sensor` are told of hosts and gateways.
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "sensor/classify/hosts.h"
#include "sensor/packet/endpoint.h"

namespace chancery::app::watch {

// The standard list and, on top, the administrator's own. Throws Failure, which names file and line.
sensor::Hosts load_hosts(std::span<const std::filesystem::path> paths);

// ADDRESS or ADDRESS:PORT, as the option --gateway has them. Throws Failure.
std::vector<sensor::Endpoint> parse_gateways(std::span<const std::string> texts);

}  // namespace chancery::app::watch
