#pragma once
// The block list and the traffic it is made from, kept in one SQLite file of the sensor's folder. One process writes at
// a time (SQLite's own lock, waited for at most kBusyWait); any number read. Throws BlockListError with a plain
// sentence.
#include <chrono>
#include <filesystem>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "archive/sqlite.h"
#include "sensor/enforce/proposal.h"

namespace chancery::sensor {

class BlockListError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class BlockList {
 public:
  static constexpr std::chrono::milliseconds kBusyWait{5'000};
  static constexpr std::uint64_t kSeenRowsMax = 1'000'000;  // the ones seen longest ago go first

  // Makes folder (0700) and file when they are missing, unless `must_exist`.
  static BlockList open(const std::filesystem::path& folder, bool must_exist);

  // Adds to the rows of the same client, server, transport, application, host and management.
  void remember(std::span<const Seen> rows);
  std::vector<Seen> traffic(std::optional<Instant> since = std::nullopt) const;

  // New targets are added as they are; a known proposal gets the newer figures; what was decided stays decided.
  // Returns how many are new.
  std::size_t add(std::span<const BlockEntry> proposals);
  std::vector<BlockEntry> entries() const;  // by id
  std::optional<BlockEntry> find(std::uint64_t id) const;

  // proposed, rejected or revoked → approved; proposed → rejected; approved → revoked. Anything else throws.
  BlockEntry decide(std::uint64_t id, BlockState state, const std::string& by, Instant now,
                    std::optional<Instant> expires);

  // Approved entries past their time become `expired`; returns them.
  std::vector<BlockEntry> expire(Instant now);

 private:
  explicit BlockList(archive::Database database) : database_(std::move(database)) {}
  void save(const BlockEntry& entry);

  mutable archive::Database database_;
};

}  // namespace chancery::sensor
