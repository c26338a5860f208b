#pragma once
// The records of an archive as JSON Lines (docs/formats/jsonl.md), read from the journal, in the order of logs and
// indices: the same archive gives the same octets.
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>

#include "archive/logs.h"

namespace chancery::archive {

struct ExportCounts {
  std::uint64_t records = 0;  // read
  std::uint64_t lines = 0;    // written; a delivery record gives several, a frame without body none
  std::uint64_t erased = 0;
  std::uint64_t unreadable = 0;  // not a record that this program reads: kind "unreadable"
};

// Gives each line, with its line feed, to `write`; when that returns false the export ends with an error. `progress`
// is told the records read so far, now and then. The error is a sentence.
std::expected<ExportCounts, std::string> export_jsonl(const std::vector<Log>& logs, journal::KeyStore& keys,
                                                      const std::function<bool(std::string_view)>& write,
                                                      const std::function<void(std::uint64_t)>& progress);

}  // namespace chancery::archive
