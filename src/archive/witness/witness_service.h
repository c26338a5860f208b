#pragma once
// A witness's memory: one file for each log it watches, replaced whole before the answer that depends on it is sent.
//
// `<folder>/<SHA-256 of the origin, hex>.log`: the log's vkeys, one a line, an empty line, then the checkpoint cosigned
// last (nothing, if there was none).
#include <functional>
#include <map>
#include <string>

#include "archive/witness/witness_core.h"
#include "journal/file.h"

namespace chancery::witness {

inline constexpr std::size_t kWatchedLogsMax = 10'000;

class WitnessService {
 public:
  // The error is a sentence for the operator. `disk` must outlive the service.
  static std::expected<WitnessService, std::string> open(journal::Disk& disk, std::string folder,
                                                         merkle::SigningKey key, std::function<Instant()> clock);

  // Adds a log, or another key to one.
  std::expected<void, std::string> watch(const merkle::VerifierKey& log_key);
  const std::map<std::string, WatchedLog>& logs() const { return logs_; }
  merkle::VerifierKey key() const { return key_.verifier(); }

  // The two calls of the HTTP interface.
  Answer add_checkpoint(Bytes body);
  Answer checkpoint(std::string_view origin_hash) const;

 private:
  WitnessService(journal::Disk& disk, std::string folder, merkle::SigningKey key, std::function<Instant()> clock)
      : disk_(&disk), folder_(std::move(folder)), key_(std::move(key)), clock_(std::move(clock)) {}
  std::expected<WatchedLog, std::string> read(const std::string& name) const;
  std::error_code store(const WatchedLog& log);

  journal::Disk* disk_;
  std::string folder_;
  merkle::SigningKey key_;
  std::function<Instant()> clock_;
  std::map<std::string, WatchedLog> logs_;  // by origin
};

}  // namespace chancery::witness
