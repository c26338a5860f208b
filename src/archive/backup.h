#pragma once
// A copy of an archive that is whole in itself, also while the gateway writes: of each log, everything up to its newest
// published checkpoint (and to the end of the group of records that this falls into). Written last, backup.json lists
// every file with its SHA-256; a folder without it is no finished copy. docs/guide/backup.md.
//
// The key store is not copied: without it a copy's bodies are unreadable, and that may be what is wanted.
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/time.h"

namespace chancery::archive {

struct BackedUpLog {
  std::string log;
  std::uint64_t published = 0;  // records under the checkpoint that was copied; 0: none yet, all whole groups
};

struct Backup {
  std::vector<BackedUpLog> logs;
  std::uint64_t files = 0;
  std::uint64_t octets = 0;
  std::string manifest_sha256;  // hex, of backup.json as a whole: keep it elsewhere

  // What reading the copy back found.
  std::uint64_t files_checked = 0;        // on the disk as they were read from the archive
  std::uint64_t records_checked = 0;      // frames whole, and under their checkpoint's root
  std::uint64_t checkpoints_checked = 0;  // signed by the log's own key, each naming the one before
  std::vector<std::string> problems;      // not empty: the copy is not sound, and backup.json was not written
  std::vector<std::string> remarks;       // what an auditor would ask about: times, gaps, an unfinished end
};

// `target` must be missing or empty. `progress` is told the octets copied so far. The error is a sentence; what was
// copied until then stays, without a manifest.
std::expected<Backup, std::string> back_up(const std::filesystem::path& archive, const std::filesystem::path& target,
                                           Instant now, const std::function<void(std::uint64_t)>& progress);

}  // namespace chancery::archive
