#pragma once
// The sensor's configuration from YAML; docs/guide/sensor-daemon.md tells the operator.
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "gateway/config.h"
#include "sensor/enforce/proposal.h"
#include "sensor/enforce/stopper.h"

namespace chancery::app::watch {

// Proposals that need nobody's approval.
struct AutoApproval {
  std::vector<std::string> applications;  // empty: any
  std::vector<sensor::Category> categories;
  std::uint64_t clients_min = 1, flows_min = 1;
  std::chrono::seconds expires{std::chrono::days{7}};

  bool fits(const sensor::BlockEntry& entry) const;
};

struct SensorConfig {
  std::string interface;
  std::uint32_t ring_size = 64U << 20U;  // octets
  std::uint32_t snap_length = 65'535;    // octets
  bool promiscuous = true;
  std::string user = "nobody";  // who to become when started as root
  std::filesystem::path folder;
  std::vector<std::filesystem::path> hosts;
  std::vector<sensor::Endpoint> gateways;
  std::chrono::seconds report_every{60};

  sensor::StopPolicy stopping;
  std::string send_from;              // interface for resets; empty: as the routing table says
  std::filesystem::path kill_switch;  // while this file is there, nothing is sent

  sensor::BlockWish wish;
  std::vector<AutoApproval> auto_approve;

  // The log of its own that what is read goes to; of the gateway's configuration only what concerns the log is set.
  std::optional<gateway::Config> archive;

  bool sends() const;  // some rule resets
};

// Throws yaml::Error, or std::system_error when the file cannot be read.
SensorConfig load_sensor_config(const std::filesystem::path& file);
SensorConfig parse_sensor_config(std::string_view text, const std::string& name, const std::filesystem::path& folder);

}  // namespace chancery::app::watch
