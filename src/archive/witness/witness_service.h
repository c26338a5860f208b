#pragma once
// A witness's memory: one file for each log it watches, replaced whole before the answer that depends on it is sent.
//
// `<folder>/<SHA-256 of the origin, hex>.log`: the log's vkeys, one a line, an empty line, then the checkpoint cosigned
// last (nothing, if there was none).
// `<folder>/<anything>.add`: vkeys, one a line, that another process asks a running witness to watch as well. Who runs
// holds the folder's lock (journal::Disk::lock), and is the only one to write `.log` files.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "archive/witness/witness_core.h"
#include "journal/file.h"

namespace chancery::witness {

inline constexpr std::size_t kWatchedLogsMax = 10'000;

class WitnessService {
 public:
  // The error is a sentence for the operator. `disk` must outlive the service.
  // What `.add` files ask for is taken up in memory; `settle` makes it durable.
  static std::expected<WitnessService, std::string> open(journal::Disk& disk, std::string folder,
                                                         merkle::SigningKey key, std::function<Instant()> clock);

  // Adds a log, or another key to one. Only with the folder's lock.
  std::expected<void, std::string> watch(const merkle::VerifierKey& log_key);
  // Takes up `.add` files and removes them. Only with the folder's lock. The answer: how many keys were new.
  std::expected<std::size_t, std::string> settle();
  // Asks whoever runs on `folder` to watch these keys; `name` is unique to the caller.
  static std::expected<void, std::string> leave(journal::Disk& disk, const std::string& folder, const std::string& name,
                                                const std::vector<merkle::VerifierKey>& keys);
  const std::map<std::string, WatchedLog>& logs() const { return logs_; }
  merkle::VerifierKey key() const { return key_.verifier(); }

  // The two calls of the HTTP interface. A log or key that is not known may have been added meanwhile: at most once a
  // second the folder is looked at again.
  Answer add_checkpoint(Bytes body);
  Answer checkpoint(std::string_view origin_hash) const;
  // Prometheus text: answers by status, and the size of each log.
  std::string metrics() const;

 private:
  WitnessService(journal::Disk& disk, std::string folder, merkle::SigningKey key, std::function<Instant()> clock)
      : disk_(&disk), folder_(std::move(folder)), key_(std::move(key)), clock_(std::move(clock)) {}
  std::expected<WatchedLog, std::string> read(const std::string& name) const;
  std::expected<std::vector<merkle::VerifierKey>, std::string> read_additions(const std::string& name) const;
  bool knows(const merkle::VerifierKey& key) const;
  std::expected<void, std::string> check_addition(const merkle::VerifierKey& key) const;
  bool look_again();
  Answer decide_on(const merkle::AddCheckpoint& request);
  std::error_code store(const WatchedLog& log);

  journal::Disk* disk_;
  std::string folder_;
  merkle::SigningKey key_;
  std::function<Instant()> clock_;
  std::map<std::string, WatchedLog> logs_;     // by origin
  std::optional<Instant> looked_;              // at the folder, for additions
  std::map<unsigned, std::uint64_t> answers_;  // add-checkpoint: HTTP status → how often
};

}  // namespace chancery::witness
