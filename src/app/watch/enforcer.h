#pragma once
// chancery enforcer: the process that alone may change what the packet filter refuses, and does nothing else. It takes
// requests over a unix socket (docs/formats/enforcer.md), holds CAP_NET_ADMIN and no other right, and opens no other
// file.
#include <filesystem>
#include <string>
#include <vector>

#include "app/context.h"
#include "sensor/enforce/network.h"

namespace chancery::app::watch {

struct EnforcerConfig {
  std::filesystem::path socket;
  std::string client;                  // the user who may ask; root may too
  std::string user = "nobody";         // who to become when started as root
  std::vector<sensor::Network> never;  // never blocked, besides this machine's own addresses and special ranges
  std::string program = "/usr/sbin/nft";
};

// Throws yaml::Error with file and line.
EnforcerConfig load_enforcer_config(const std::filesystem::path& file);

// Until SIGTERM or SIGINT. Throws Failure when it cannot start.
Exit run_enforcer(const Context& context, const EnforcerConfig& config);

// Hands a request to an enforcer and gives its answer, "ok …" or why not. Throws Failure when there is none.
std::string ask_enforcer(const std::filesystem::path& socket, std::string_view request);

}  // namespace chancery::app::watch
