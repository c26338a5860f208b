#pragma once
// Answers a query from the index: across months and logs, newest first. Needs no key and no server.
#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "archive/query.h"
#include "core/time.h"
#include "event/record.h"

namespace chancery::archive {

// An edit, retraction or reaction of a hit, in the order recorded.
struct Change {
  std::uint64_t index = 0;
  Record record;
};

struct Hit {
  std::string log;  // origin
  std::uint64_t index = 0;
  Record record;  // without the wire
  std::vector<Delivery> deliveries;
  std::vector<Change> changes;
};

// How far one log is indexed: an answer is complete for records below `complete_to`.
struct LogCoverage {
  std::string log;
  std::uint64_t complete_to = 0;     // 0: not indexed at all
  std::optional<Instant> newest;     // time of the newest record indexed
  std::vector<std::string> damaged;  // files that cannot be read: `chancery archive reindex`
};

struct Answer {
  std::vector<Hit> hits;
  bool more = false;  // there are older ones beyond the limit
  std::vector<LogCoverage> logs;
};

// `logs`: origins to look in. A damaged file is left out and named in the answer.
std::expected<Answer, QueryProblem> search(const std::filesystem::path& index, const std::vector<std::string>& logs,
                                           const Query& query);

// How far each log is indexed, without searching. `deep`: read every file whole and check it.
std::vector<LogCoverage> coverage(const std::filesystem::path& index, const std::vector<std::string>& logs, bool deep);

}  // namespace chancery::archive
