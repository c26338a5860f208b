#pragma once
// The sensor's own log in an archive: opened, written, sealed, indexed, and closed as a gateway's is, but nothing ever
// waits for it. A journal that fails is said, counted and opened again after a while; meanwhile packets are read on,
// and what was lost to the record is put on it as a gap once that is possible, also by the next start.
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "app/watch/seen_recorder.h"
#include "gateway/config.h"
#include "journal/keystore.h"
#include "net/log.h"

namespace chancery::app::watch {

class SensorLog final : public sensor::Observer {
 public:
  static constexpr std::chrono::milliseconds kReopenEvery{30'000};

  // While there still is the right to: opens the key store, makes the folders that are missing for `user`. Both are
  // borrowed. Throws Failure.
  SensorLog(const gateway::Config& config, const std::string& user, net::Log& log,
            std::chrono::milliseconds reopen_every = kReopenEvery);
  ~SensorLog() override;  // close()

  // Without rights, before the first packet, on the thread that reads packets, as all below. Throws Failure.
  void open(Instant now);
  // After each handful of packets, and from time to time without any.
  void turn(Instant now);
  // Says on the record that it was alive, and what it had seen.
  void heartbeat(std::string detail, Instant now);
  void close(Instant now);

  struct Status {
    std::uint64_t recorded = 0, deliveries = 0;
    std::uint64_t lost = 0;                                 // ever, in this run
    std::uint64_t unsaid = 0;                               // of them, and of earlier runs: no gap record says so yet
    std::uint64_t durable = 0, published = 0, indexed = 0;  // records of the log
    bool is_open = false;
  };
  Status status() const;

  void message(const sensor::SeenMessage& message) override;
  void event(const sensor::SeenEvent& event) override;
  void credential(const sensor::SeenCredential& credential) override;
  void url(const sensor::SeenUrl&) override {}

 private:
  class Open;
  Lost& lost();
  void lose(Instant time);
  void failed(Instant now);
  void save_lost();
  void load_lost();
  std::filesystem::path lost_file() const;
  void after(bool taken, Instant now);

  const gateway::Config& config_;
  net::Log& log_;
  const std::chrono::milliseconds reopen_every_;
  journal::KeyStore keys_;
  std::unique_ptr<Open> open_;
  Lost lost_;                     // while nothing is open
  std::uint64_t saved_lost_ = 0;  // what a file tells the next start
  std::uint64_t lost_ever_ = 0;
  SeenRecorder::Counts before_;  // of what was open earlier
  Instant now_;                  // of the last turn: the log's clock
  std::chrono::steady_clock::time_point reopen_at_;
};

}  // namespace chancery::app::watch
