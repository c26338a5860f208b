#pragma once
// The journal while it runs. A few equal threads share three kinds of work, each one at a time on what is next in
// order: *prepare* a group (keys, encryption, hashes; several threads at once on different groups), *commit* the groups
// that are ready (write, sync; one thread at a time), *report* what was synced (one thread at a time). While one waits
// for the disk the others prepare what comes next, and a lone record goes through one thread without a hand-over.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "journal/frame_maker.h"
#include "journal/journal.h"
#include "journal/log_file.h"
#include "journal/open.h"
#include "journal/state.h"

namespace chancery::journal {

class Writer final : public Journal {
 public:
  struct Start {
    Options options;
    std::unique_ptr<Lock> lock;
    LogFile log;
    std::shared_ptr<Segment> segment;  // the one that `log` ends in
    StateFile state_file;
    State state;
    ConversationId log_conversation;
    Secret log_key;
  };
  explicit Writer(Start start);
  ~Writer() override;

  std::expected<std::uint64_t, std::error_code> stage(Entry&& entry) override;
  void hand_over() override;
  Buffer spare_buffer() override;
  const std::string& origin() const override { return log_.origin(); }
  std::uint64_t next_index() const override { return next_index_.load(std::memory_order_relaxed); }
  std::uint64_t durable_size() const override { return durable_size_.load(std::memory_order_acquire); }
  ConversationId log_conversation() const override { return log_conversation_; }
  Secret derive_secret(std::string_view label) override;
  void close() override;

 private:
  using Clock = std::chrono::steady_clock;
  using Guard = std::unique_lock<std::mutex>;
  using Groups = std::vector<std::unique_ptr<PreparedGroup>>;

  void run();
  void raise_priority();
  void wait(Guard& guard);
  bool is_over() const;
  void wake_one();
  void wake_all();

  // Appending.
  bool has_room_for(const Entry& entry) const;
  bool ends_segment(const Entry& entry) const;
  void plan_segment(const Entry& first);
  void put(Entry&& entry);

  // With the lock held.
  void queue_staged();
  bool needs_a_thread(bool was_empty) const;
  std::size_t queued() const { return queue_.size() - taken_; }

  // Each of these is called with the lock held and lets go of it while it works.
  bool can_prepare() const;
  void prepare(Guard& guard, FrameMaker& maker);
  std::unique_ptr<PreparedGroup> take_group();
  bool can_commit() const;
  void commit(Guard& guard);
  bool can_report() const;
  void report(Guard& guard);
  bool can_tell_failure() const;
  void tell_failure(Guard& guard);

  std::error_code write_and_sync(const Groups& groups);
  std::error_code save_state(bool clean);
  void tell_observer(const PreparedGroup& group);
  void recycle(Entry& entry);
  void note_outage();

  const Options options_;
  std::unique_ptr<Lock> lock_;  // of the log, against other processes
  const ConversationId log_conversation_;
  const Secret log_key_;
  Crypto secret_crypto_;  // of the appender's thread

  // The committing thread's.
  LogFile log_;
  StateFile state_file_;
  State state_;
  Clock::time_point state_saved_{};

  // The reporting thread's.
  std::vector<Durable> told_;
  std::vector<Buffer> wiped_;

  // The appender's.
  std::vector<Entry> staged_;
  std::vector<std::shared_ptr<Segment>> staged_segments_;  // that begin in `staged_`
  std::size_t staged_urgent_ = 0;
  std::shared_ptr<Segment> planned_;  // the segment of the next entry
  std::uint64_t planned_size_;        // octets in it so far
  std::vector<Buffer> spare_;

  // Written by the appender, or by the journal's threads, and read by the other.
  std::atomic<std::uint64_t> next_index_;
  std::atomic<std::uint64_t> durable_size_;
  std::atomic<std::uint64_t> held_records_ = 0;  // taken and not yet reported
  std::atomic<std::uint64_t> held_octets_ = 0;   // … their payloads
  std::atomic<bool> has_failed_ = false;
  std::atomic<bool> is_closed_ = false;

  const std::size_t thread_count_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::vector<Entry> queue_;    // handed over; from `taken_` on in no group yet
  std::size_t taken_ = 0;       // of `queue_`
  std::uint64_t first_queued_;  // index of queue_[taken_]
  std::size_t urgent_queued_ = 0;
  Clock::time_point lazy_deadline_{};                    // when the oldest entry of an otherwise lazy queue must go
  std::shared_ptr<Segment> taking_;                      // the segment of queue_[taken_]
  std::deque<std::shared_ptr<Segment>> to_take_;         // the ones after it
  std::deque<std::unique_ptr<PreparedGroup>> prepared_;  // in order; some perhaps not ready
  std::deque<Groups> committed_;                         // in order, synced, not reported
  Groups free_;                                          // to use again
  std::vector<Buffer> returned_;                         // wiped payload buffers on their way to the appender
  std::size_t idle_ = 0;                                 // threads that wait and were not woken
  std::size_t woken_ = 0;                                // … that were, and have not looked yet
  bool is_committing_ = false;
  bool is_reporting_ = false;
  bool is_closing_ = false;
  bool is_told_ = false;  // of the failure
  bool is_priority_refused_ = false;
  std::error_code failure_;

  std::vector<std::thread> threads_;
};

}  // namespace chancery::journal
