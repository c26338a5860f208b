#pragma once
// Brings the index of a log up to what the log holds, outside the gateway.
#include <expected>
#include <functional>
#include <string>

#include "archive/log_index.h"
#include "archive/logs.h"

namespace chancery::archive {

struct Reindexed {
  std::uint64_t records = 0;     // read
  std::uint64_t unreadable = 0;  // erased, or no record that this program reads
};

// Reads from where `writer` is to the log's end and commits. `progress` is told the index reached now and then; when
// it returns false the work stops there, committed. The error is a sentence; a record whose key is not here is one.
std::expected<Reindexed, std::string> catch_up(LogIndexWriter& writer, const Log& log, journal::Reader& reader,
                                               const std::function<bool(std::uint64_t)>& progress);

// Whether the index was made from this log: its last leaf is the log's leaf there. False also when the index goes
// further than the log.
bool belongs_to(const LogIndexWriter& writer, journal::Reader& reader);

}  // namespace chancery::archive
