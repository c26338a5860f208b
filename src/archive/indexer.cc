#include "archive/indexer.h"

#include <algorithm>
#include <fmt/format.h>

#include "archive/reindex.h"
#include "journal/thread_nice.h"

namespace chancery::archive {
namespace {

constexpr std::chrono::seconds kRetryInterval{1};
constexpr std::chrono::seconds kDrainMax{5};          // of `stop`; what is left is indexed at the next start
constexpr std::chrono::milliseconds kGatherTime{20};  // one wake-up for all groups of this time
constexpr std::chrono::milliseconds kHoldTime{100};   // in a burst
constexpr std::size_t kQueuedOverhead = sizeof(std::uint64_t) + kLeafSize + sizeof(std::size_t);

}  // namespace

bool index_payload(LogIndexWriter& writer, Bytes payload, Instant time, const LeafOctets& leaf) {
  auto record = decode_record(payload);
  if (!record) {
    writer.skip(time, leaf);
    return false;
  }
  writer.add(*std::move(record), leaf);
  return true;
}

Indexer::Indexer(IndexerOptions options) : options_(std::move(options)) {}

Indexer::~Indexer() { stop(); }

void Indexer::start(std::string origin, std::uint64_t durable_size) {
  origin_ = std::move(origin);
  {
    const std::lock_guard guard(mutex_);
    durable_size_ = std::max(durable_size_, durable_size);
  }
  thread_ = std::thread([this] { run(); });
}

void Indexer::stop() {
  {
    const std::lock_guard guard(mutex_);
    if (!stopping_) drain_until_ = std::chrono::steady_clock::now() + kDrainMax;
    stopping_ = true;
  }
  news_.notify_all();
  if (thread_.joinable()) thread_.join();
}

IndexerStatus Indexer::status() const {
  const std::lock_guard guard(mutex_);
  return {complete_to_, durable_size_, rebuilt_, failed_};
}

void Indexer::on_durable(std::span<const journal::Durable> group) {
  if (group.empty() || !takes(group.back().index + 1)) return;
  // The journal's thread is in here: one buffer for the whole group, copied without the lock.
  Batch batch;
  std::size_t octets = 0;
  for (const auto& record : group) octets += record.payload.size();
  batch.octets.reserve(octets);
  batch.records.reserve(group.size());
  for (const auto& record : group) {
    batch.records.push_back({record.index, record.leaf, record.payload.size()});
    batch.octets += record.payload;
  }
  octets += group.size() * kQueuedOverhead;
  bool wake = false;
  {
    const std::lock_guard guard(mutex_);
    wake = queue_.empty();
    durable_size_ = group.back().index + 1;
    queue_octets_ += octets;
    queue_.push_back(std::move(batch));
    wake = (wake || queue_octets_ > kIndexQueueOctetsMax / 2) && !is_holding_;
  }
  if (wake) news_.notify_one();
}

// Whether the queue has room; else the records are dropped: `round` sees the gap and reads them back.
bool Indexer::takes(std::uint64_t durable_size) {
  const std::lock_guard guard(mutex_);
  if (queue_octets_ < kIndexQueueOctetsMax) return true;
  durable_size_ = durable_size;
  return false;
}

void Indexer::on_failed(std::error_code, std::uint64_t) {}  // what is durable stays so; there is no more to come

void Indexer::run() {
  journal::make_thread_background();  // the index may lag; forwarding may not
  while (true) {
    if (round()) {
      failed_ = false;
      last_problem_.clear();
      if (out_of_time()) return;
      const std::lock_guard guard(mutex_);
      if (stopping_ && complete_to_ >= durable_size_) return;
    } else {
      failed_ = true;
      std::unique_lock guard(mutex_);
      if (news_.wait_for(guard, kRetryInterval, [this] { return stopping_; })) return;
    }
  }
}

bool Indexer::out_of_time() const {
  const std::lock_guard guard(mutex_);
  return stopping_ && std::chrono::steady_clock::now() >= drain_until_;
}

// The one place where what can go wrong with files and SQLite ends: the index is left as it was last committed.
bool Indexer::round() {
  try {
    if (!writer_) open();
    Queue taken;
    const bool idle = wait_for_work(taken);
    for (const auto& batch : taken) take(batch);
    if (idle) read_back(UINT64_MAX);
    commit_if_due(idle);
    return true;
  } catch (const SqliteError& error) {
    if (error.damaged()) drop_newest();
    writer_.reset();
    if (std::exchange(last_problem_, error.what()) != error.what())
      options_.on_problem(fmt::format("the index of {} cannot be written: {}", origin_, error.what()));
  } catch (const std::exception& error) {
    writer_.reset();
    if (std::exchange(last_problem_, error.what()) != error.what())
      options_.on_problem(fmt::format("indexing {} does not work: {}", origin_, error.what()));
  }
  return false;
}

void Indexer::drop_newest() try {
  if (writer_) writer_->discard_newest();
  ++rebuilt_;
} catch (const std::exception&) {  // said already: the next round meets it again
}

// Waits until records are there or the commit is due. True: nothing came in time.
bool Indexer::wait_for_work(Queue& taken) {
  std::unique_lock guard(mutex_);
  const auto there = [this] { return !queue_.empty() || stopping_; };
  const auto behind = [this] { return durable_size_ > writer_->complete_to(); };
  if (writer_->pending() > 0)
    news_.wait_until(guard, first_pending_ + kIndexCommitInterval, there);
  else if (!behind())
    news_.wait_for(guard, kRetryInterval, there);
  if (!queue_.empty()) hold_back(guard);
  taken.swap(queue_);
  queue_octets_ = 0;
  if (taken.empty() && !behind()) has_held_ = false;
  return taken.empty();
}

// Gathers for a moment, and for as long as the log grows fast meanwhile.
void Indexer::hold_back(std::unique_lock<std::mutex>& guard) {
  const auto end = std::chrono::steady_clock::now() + options_.hold;
  is_holding_ = true;
  for (std::chrono::milliseconds time = kGatherTime;; time = kHoldTime) {
    const std::uint64_t size = durable_size_;
    if (news_.wait_for(guard, time, [this] { return stopping_; }) || has_held_) break;
    if ((durable_size_ - size) * 1'000 < kIndexBurstRecords * static_cast<std::uint64_t>(time.count())) break;
    has_held_ = std::chrono::steady_clock::now() >= end;
    if (has_held_) break;
    if (writer_->pending() == 0) continue;
    guard.unlock();  // what was taken before the burst is found during it
    commit_if_due(true);
    guard.lock();
  }
  is_holding_ = false;
}

void Indexer::open() {
  writer_ = std::make_unique<LogIndexWriter>(options_.index, origin_, options_.on_record);
  rebuilt_ += static_cast<std::uint64_t>(writer_->damaged_files());
  check_against_journal();
  complete_to_ = writer_->complete_to();
}

void Indexer::check_against_journal() {
  const Log log{origin_, (options_.archive / "logs" / origin_).string(), false};
  auto reader = open_reader(log, nullptr);
  if (!reader) throw std::runtime_error(reader.error());
  {
    const std::lock_guard guard(mutex_);
    reader->set_limit(durable_size_);
  }
  if (belongs_to(*writer_, *reader)) return;
  writer_->clear();
  ++rebuilt_;
}

void Indexer::take(const Batch& batch) {
  Bytes rest = batch.octets;
  for (const auto& queued : batch.records) {
    take(queued, rest.substr(0, queued.size));
    rest.remove_prefix(queued.size);
  }
}

void Indexer::take(const Queued& queued, Bytes payload) {
  if (queued.index > writer_->complete_to()) read_back(queued.index);
  if (queued.index != writer_->complete_to()) return;  // had it already
  if (writer_->pending() == 0) first_pending_ = std::chrono::steady_clock::now();
  Leaf leaf;
  if (const auto decoded = decode_leaf({queued.leaf.data(), queued.leaf.size()})) leaf = *decoded;
  if (payload.empty())
    writer_->skip(leaf.time, queued.leaf);
  else
    index_payload(*writer_, payload, leaf.time, queued.leaf);
  commit_if_due(false);
}

// What the queue never had, or dropped: from the journal's own files, up to `end` or to what is durable.
void Indexer::read_back(std::uint64_t end) {
  std::uint64_t durable = 0;
  {
    const std::lock_guard guard(mutex_);
    durable = durable_size_;
  }
  end = std::min(end, durable);
  if (writer_->complete_to() >= end) return;
  if (!keys_) {
    auto opened = journal::KeyStore::open(journal::posix_disk(), options_.keys.string(), options_.credential);
    if (!opened) throw std::runtime_error("the key store: " + opened.error().message());
    keys_ = std::make_unique<journal::KeyStore>(*std::move(opened));
  }
  const Log log{origin_, (options_.archive / "logs" / origin_).string(), false};
  auto reader = open_reader(log, keys_.get());
  if (!reader) throw std::runtime_error(reader.error());
  reader->set_limit(end);
  const auto done = catch_up(*writer_, log, *reader, [this](std::uint64_t reached) {
    complete_to_ = reached;
    return !out_of_time();
  });
  if (!done) throw std::runtime_error(done.error());
  if (writer_->complete_to() < end && !out_of_time())
    throw std::runtime_error(fmt::format("the journal does not give record {}", writer_->complete_to()));
}

void Indexer::commit_if_due(bool now) {
  if (writer_->pending() == 0) return;
  const auto waited = std::chrono::steady_clock::now() - first_pending_;
  if (!now && writer_->pending() < kIndexBatchRecordsMax && waited < kIndexCommitInterval) return;
  writer_->commit();
  complete_to_ = writer_->complete_to();
}

}  // namespace chancery::archive
