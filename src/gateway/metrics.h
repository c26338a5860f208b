#pragma once
// The counters as Prometheus text; docs/guide/gateway.md lists the names. Through prometheus-cpp.
#include <string>

#include "gateway/stats.h"

namespace chancery::gateway {

struct JournalState {
  std::uint64_t next_index = 0;
  std::uint64_t durable_size = 0;
  bool failed = false;
};

std::string metrics_text(const Stats& stats, const JournalState& journal);

}  // namespace chancery::gateway
