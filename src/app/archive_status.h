#pragma once
// What an archive holds, how far each record of it got, and what does not fit together. A quick look from the inside,
// no judgement of the evidence: that is `chancery verify`.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "archive/logs.h"
#include "archive/search.h"
#include "core/time.h"

namespace chancery::app {

// One log, which is one epoch of its node. Counts are of records, and each is part of the one before.
struct LogStatus {
  archive::Log log;
  std::uint64_t journaled = 0;  // read back, frame by frame, from the log's start
  std::uint64_t sealed = 0;     // in the tiles of the tree
  std::uint64_t published = 0;  // under the newest checkpoint
  std::uint64_t witnessed = 0;  // under the newest checkpoint that bears a cosignature (which only `verify` checks)
  std::uint64_t indexed = 0;
  std::optional<Instant> published_time, witnessed_time;
  std::uint64_t segments = 0, segment_octets = 0, octets = 0;  // octets: all files of the log
  std::vector<std::string> problems;                           // sentences; empty: nothing found
  std::vector<std::string> damaged_index;                      // files

  bool is_sound() const { return problems.empty() && damaged_index.empty(); }
};

struct ArchiveStatus {
  archive::Paths paths;
  std::vector<LogStatus> logs;
  std::vector<std::string> problems;  // of the archive: a missing epoch

  bool is_sound() const;
};

struct StatusOptions {
  bool read_records = true;  // false: only count them, without looking at each
  bool check_index = false;  // read every file of the index whole
  std::function<void(const std::string& log, std::uint64_t records)> progress = [](const std::string&, std::uint64_t) {
  };
};

ArchiveStatus status_of(const archive::Paths& paths, const StatusOptions& options);

}  // namespace chancery::app
