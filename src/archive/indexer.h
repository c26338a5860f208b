#pragma once
// Keeps the index of the log that this process writes close behind the journal, never ahead of it. On a thread of its
// own, at the lowest priority (SCHED_BATCH, nice 19). While the log grows fast (kIndexBurstRecords) it stands still, so
// that it takes no processor from forwarding, for kIndexHoldMax at most; then it works through what is there, burst or
// not. Nothing here ever makes the journal wait: the queue is bounded, and what does not fit is dropped and read back
// from the journal's files. So the lag in records has no bound but the journal's own size; memory has.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "archive/log_index.h"
#include "journal/journal.h"
#include "journal/keystore.h"

namespace chancery::archive {

inline constexpr std::size_t kIndexQueueOctetsMax = 16U << 20;         // plaintext records waiting
inline constexpr std::uint64_t kIndexBatchRecordsMax = 5'000;          // in one commit
inline constexpr std::chrono::milliseconds kIndexCommitInterval{250};  // so long is a record not yet found, in no burst
inline constexpr std::uint64_t kIndexBurstRecords = 5'000;             // a second: from there on it is a burst
inline constexpr std::chrono::seconds kIndexHoldMax{10};               // that a burst keeps the index waiting

struct IndexerOptions {
  std::filesystem::path index;    // ARCHIVE.index; made when missing
  std::filesystem::path archive;  // where the log lies
  std::filesystem::path keys;     // opened by the indexer itself, when it must read back from the journal
  std::string credential;         // see journal::KeyStore::open
  // Told on the indexer's thread when something does not work, and again only when it says something else. Never
  // message text.
  std::function<void(const std::string&)> on_problem = [](const std::string&) {};
  RecordSink on_record;                                      // may be empty
  std::chrono::steady_clock::duration hold = kIndexHoldMax;  // that a burst keeps it waiting
};

// For metrics; any thread.
struct IndexerStatus {
  std::uint64_t complete_to = 0;  // committed: searches find every record below
  std::uint64_t durable = 0;      // journaled; the lag is the difference
  std::uint64_t rebuilt = 0;      // times that a damaged or foreign index was thrown away, wholly or in part
  bool failed = false;            // it does not get on (see on_problem); it tries again each second
};

class Indexer final : public journal::Observer {
 public:
  explicit Indexer(IndexerOptions options);
  ~Indexer() override;  // stop()

  // After journal::open: the log's origin and its durable size then. Records reported before this are not lost.
  void start(std::string origin, std::uint64_t durable_size);
  // Indexes what is durable, for five seconds at most (the next start goes on), commits, ends the thread. Idempotent.
  // Call after Journal::close().
  void stop();
  IndexerStatus status() const;

  void on_durable(std::span<const journal::Durable> group) override;
  void on_failed(std::error_code why, std::uint64_t durable_size) override;

 private:
  struct Queued {
    std::uint64_t index;
    LeafOctets leaf;
    std::size_t size;  // octets of its payload
  };
  struct Batch {  // what one call of on_durable brought
    std::vector<Queued> records;
    Buffer octets;  // their payloads, one after another
  };
  using Queue = std::deque<Batch>;

  void run();
  bool round();  // false: it did not work
  bool out_of_time() const;
  void drop_newest();
  bool takes(std::uint64_t durable_size);
  bool wait_for_work(Queue& taken);
  void hold_back(std::unique_lock<std::mutex>& guard);
  void open();
  void check_against_journal();
  void take(const Batch& batch);
  void take(const Queued& queued, Bytes payload);
  void read_back(std::uint64_t end);
  void commit_if_due(bool now);

  IndexerOptions options_;
  std::string origin_;
  std::unique_ptr<LogIndexWriter> writer_;
  std::unique_ptr<journal::KeyStore> keys_;
  std::chrono::steady_clock::time_point first_pending_;
  std::string last_problem_;
  bool has_held_ = false;  // for kIndexHoldMax, and is not up to date since
  std::atomic<std::uint64_t> complete_to_{0}, rebuilt_{0};
  std::atomic<bool> failed_{false};

  mutable std::mutex mutex_;
  std::condition_variable news_;
  Queue queue_;
  std::size_t queue_octets_ = 0;
  std::uint64_t durable_size_ = 0;
  bool stopping_ = false;
  bool is_holding_ = false;  // news is of no interest
  std::chrono::steady_clock::time_point drain_until_;
  std::thread thread_;
};

// Adds one record's plaintext (or what the reader gave for it) to an index. A payload that is no record this program
// reads is passed over: the index is no evidence. Returns false for those.
bool index_payload(LogIndexWriter& writer, Bytes payload, Instant time, const LeafOctets& leaf);

}  // namespace chancery::archive
