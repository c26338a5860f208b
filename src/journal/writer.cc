#include "journal/writer.h"

#include <algorithm>
#include <utility>

#include "journal/thread_nice.h"

namespace chancery::journal {
namespace {

constexpr auto kLazyWait = std::chrono::milliseconds(100);  // Entry::urgent
constexpr auto kStateEvery = std::chrono::seconds(1);       // docs/formats/journal.md, "State folder"
constexpr std::uint32_t kPriorityMax = 20;
constexpr std::size_t kPreparedMax = 8;                           // groups prepared ahead of the disk
constexpr std::size_t kSharedGroupSize = 32;                      // records that are worth a second thread
constexpr std::uint64_t kGroupPayloadSoftMax = 1U << 20;          // octets; a group ends with the entry that passes it
constexpr std::uint32_t kSegmentLeavesSoftMax = kTreeLeaves / 2;  // a joined entry may pass it
constexpr std::size_t kSpareBuffersMax = 1024;                    // on their way to the appender, and as many with it
constexpr std::size_t kSpareBufferSizeMax = 4096;                 // octets of one; larger ones are freed
static_assert(kGroupPayloadSoftMax + kPayloadSizeMax + kGroupRecordsMax * (kFrameSizeMax - kPayloadSizeMax) <
              kGroupFramesSizeMax);

Entry segment_opened(const Segment& segment, Instant time) {
  Entry entry;
  entry.type = LeafType::segment_opened;
  entry.time = time;
  entry.conversation_sequence = segment.number;
  return entry;
}

std::chrono::sys_days day_of(Instant time) { return std::chrono::floor<std::chrono::days>(time); }

}  // namespace

Writer::Writer(Start start)
    : options_(std::move(start.options)),
      lock_(std::move(start.lock)),
      log_conversation_(start.log_conversation),
      log_key_(start.log_key),
      log_(std::move(start.log)),
      state_file_(std::move(start.state_file)),
      state_(std::move(start.state)),
      state_saved_(Clock::now()),
      planned_(start.segment),
      planned_size_(log_.offset()),
      next_index_(log_.durable().size),
      durable_size_(log_.durable().size),
      thread_count_(std::clamp(options_.threads, 1U, 8U)),
      first_queued_(log_.durable().size),
      taking_(start.segment) {
  for (std::size_t i = 0; i < thread_count_; ++i) threads_.emplace_back([this] { run(); });
}

Writer::~Writer() {
  close();
  for (Entry& entry : staged_) wipe(entry.payload);
  for (Entry& entry : queue_) wipe(entry.payload);
  for (const auto& group : prepared_)
    for (Entry& entry : group->entries) wipe(entry.payload);
}

void Writer::close() {
  if (!is_closed_.exchange(true)) hand_over();
  {
    const std::lock_guard guard(mutex_);
    is_closing_ = true;
    wake_all();
  }
  for (std::thread& thread : threads_) thread.join();
  if (!threads_.empty() && !failure_) save_state(true);  // failing only means that the next start looks unclean
  threads_.clear();
  lock_.reset();
}

Secret Writer::derive_secret(std::string_view label) {
  const Hash hash = secret_crypto_.hmac(log_key_, {"chancery/1/secret", label});
  Secret secret;
  std::ranges::copy(hash, secret.data());
  return secret;
}

std::expected<std::uint64_t, std::error_code> Writer::stage(Entry&& entry) {
  if (has_failed_.load(std::memory_order_acquire)) return std::unexpected(make_error_code(JournalError::failed));
  if (is_closed_.load(std::memory_order_relaxed)) return std::unexpected(make_error_code(JournalError::closed));
  if (entry.payload.size() > kPayloadSizeMax) return std::unexpected(make_error_code(JournalError::too_large));
  if (!has_room_for(entry)) {
    hand_over();  // or the caller could wait for room that nobody makes
    return std::unexpected(make_error_code(JournalError::full));
  }
  if (ends_segment(entry)) plan_segment(entry);
  put(std::move(entry));
  return next_index() - 1;
}

bool Writer::has_room_for(const Entry& entry) const {
  const std::uint64_t records = held_records_.load(std::memory_order_relaxed);
  if (records == 0) return true;
  return records < options_.queue_records_max &&
         held_octets_.load(std::memory_order_relaxed) + entry.payload.size() <= options_.queue_octets_max;
}

bool Writer::ends_segment(const Entry& entry) const {
  const std::uint64_t leaves = next_index() - planned_->first_index;
  if (entry.joined) return leaves >= kTreeLeaves;
  return planned_size_ >= options_.segment_size_max || leaves >= kSegmentLeavesSoftMax ||
         day_of(entry.time) > planned_->day;
}

void Writer::plan_segment(const Entry& first) {
  auto segment = std::make_shared<Segment>();
  segment->number = planned_->number + 1;
  segment->first_index = next_index();
  segment->day = std::max(planned_->day, day_of(first.time));
  segment->keys = new_seed();
  planned_ = std::move(segment);
  planned_size_ = kSegmentHeaderSize;
  staged_segments_.push_back(planned_);
  Entry opened = segment_opened(*planned_, first.time);
  opened.urgent = first.urgent;
  put(std::move(opened));
}

void Writer::put(Entry&& entry) {
  if (entry.urgent) ++staged_urgent_;
  held_records_.fetch_add(1, std::memory_order_relaxed);
  held_octets_.fetch_add(entry.payload.size(), std::memory_order_relaxed);
  planned_size_ += frame_size(entry.type, entry.payload.size());
  staged_.push_back(std::move(entry));
  next_index_.fetch_add(1, std::memory_order_relaxed);
}

void Writer::hand_over() {
  if (staged_.empty()) return;
  bool wakes = false;
  {
    const std::lock_guard guard(mutex_);
    const bool was_empty = queued() == 0;
    queue_staged();
    wakes = needs_a_thread(was_empty);
    if (wakes) --idle_, ++woken_;
    if (spare_.empty()) spare_.swap(returned_);
  }
  if (wakes) work_.notify_one();
}

void Writer::queue_staged() {
  if (queued() == 0) {
    lazy_deadline_ = Clock::now() + kLazyWait;
    queue_.clear();
    taken_ = 0;
    queue_.swap(staged_);
  } else {
    queue_.insert(queue_.end(), std::make_move_iterator(staged_.begin()), std::make_move_iterator(staged_.end()));
    staged_.clear();
  }
  urgent_queued_ += std::exchange(staged_urgent_, 0);
  to_take_.insert(to_take_.end(), std::make_move_iterator(staged_segments_.begin()),
                  std::make_move_iterator(staged_segments_.end()));
  staged_segments_.clear();
}

// A thread that is awake looks at the queue before it sleeps, so a few records do not need another one: waking it would
// cost the appender more than it brings. A lazy queue needs one that knows its deadline.
bool Writer::needs_a_thread(bool was_empty) const {
  if (idle_ == 0) return false;
  if (idle_ < thread_count_) return queued() >= kSharedGroupSize && can_prepare();
  return was_empty || can_prepare();
}

Buffer Writer::spare_buffer() {
  if (spare_.empty()) return {};
  Buffer buffer = std::move(spare_.back());
  spare_.pop_back();
  return buffer;
}

void Writer::raise_priority() {
  if (options_.priority == 0) return;
  const auto error = set_thread_nice(-static_cast<int>(std::min(options_.priority, kPriorityMax)));
  if (!error) return;
  const std::lock_guard guard(mutex_);
  if (!std::exchange(is_priority_refused_, true) && options_.on_priority_refused) options_.on_priority_refused(error);
}

void Writer::run() {
  raise_priority();
  FrameMaker maker;
  Guard guard(mutex_);
  while (!is_over()) {
    if (can_commit())
      commit(guard);
    else if (can_report())
      report(guard);
    else if (can_prepare())
      prepare(guard, maker);
    else if (can_tell_failure())
      tell_failure(guard);
    else
      wait(guard);
  }
  wake_all();
}

void Writer::wait(Guard& guard) {
  ++idle_;
  if (queued() == 0 || failure_ || prepared_.size() >= kPreparedMax)
    work_.wait(guard);
  else
    work_.wait_until(guard, lazy_deadline_);
  // Whoever woke a thread has counted it already; if another was faster, one of the two is counted here.
  if (woken_ > 0)
    --woken_;
  else
    --idle_;
}

void Writer::wake_one() {
  if (idle_ == 0) return;
  --idle_;
  ++woken_;
  work_.notify_one();
}

void Writer::wake_all() {
  woken_ += std::exchange(idle_, 0);
  work_.notify_all();
}

bool Writer::is_over() const {
  if (failure_) return is_told_;
  return is_closing_ && queued() == 0 && prepared_.empty() && committed_.empty() && !is_committing_ && !is_reporting_;
}

bool Writer::can_prepare() const {
  if (failure_ || queued() == 0 || prepared_.size() >= kPreparedMax) return false;
  return urgent_queued_ > 0 || queued() >= kGroupRecordsMax || is_closing_ || Clock::now() >= lazy_deadline_;
}

// Equal shares when several threads could work on what is queued, whole groups when there is plenty.
std::unique_ptr<PreparedGroup> Writer::take_group() {
  if (!to_take_.empty() && to_take_.front()->first_index == first_queued_) {
    taking_ = std::move(to_take_.front());
    to_take_.pop_front();
  }
  auto group = free_.empty() ? std::make_unique<PreparedGroup>() : std::move(free_.back());
  if (!free_.empty()) free_.pop_back();
  group->segment = taking_;
  group->first_index = first_queued_;
  group->begins_segment = taking_->first_index == first_queued_;
  group->is_ready = false;
  std::size_t count = std::max(kSharedGroupSize, (queued() + idle_) / (idle_ + 1));
  count = std::min({count, queued(), std::size_t{kGroupRecordsMax}});
  if (!to_take_.empty()) count = std::min<std::size_t>(count, to_take_.front()->first_index - first_queued_);
  for (std::uint64_t octets = 0; count > 0 && octets < kGroupPayloadSoftMax; --count) {
    Entry& entry = queue_[taken_++];
    octets += entry.payload.size();
    if (entry.urgent) --urgent_queued_;
    group->entries.push_back(std::move(entry));
  }
  if (taken_ > queue_.size() / 2 && taken_ >= kGroupRecordsMax) {
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(taken_));
    taken_ = 0;
  }
  first_queued_ += group->entries.size();
  return group;
}

void Writer::prepare(Guard& guard, FrameMaker& maker) {
  PreparedGroup& group = *prepared_.emplace_back(take_group());
  if (can_prepare()) wake_one();
  guard.unlock();
  if (group.begins_segment) {
    group.error = make_sheet(maker.crypto(), *options_.keys, log_.origin(), *group.segment);
    group.entries.front().second = maker.crypto().sha256({group.segment->sheet});
  }
  maker.make(group);
  guard.lock();
  group.is_ready = true;
}

// Not while more of the same batch is, or could be, prepared: a sync for each share would cost more than the short wait
// for one that covers them all. A whole group's worth does not wait.
bool Writer::can_commit() const {
  if (failure_ || is_committing_ || prepared_.empty()) return false;
  std::size_t ready = 0;
  for (const auto& group : prepared_) {
    if (!group->is_ready) return ready >= kGroupRecordsMax;
    ready += group->entries.size();
  }
  return ready >= kGroupRecordsMax || !can_prepare();
}

void Writer::commit(Guard& guard) {
  is_committing_ = true;
  Groups groups;
  while (!prepared_.empty() && prepared_.front()->is_ready) {
    groups.push_back(std::move(prepared_.front()));
    prepared_.pop_front();
  }
  if (can_prepare()) wake_one();
  guard.unlock();
  const std::error_code error = write_and_sync(groups);
  guard.lock();
  is_committing_ = false;
  if (error) {
    failure_ = error;
    has_failed_.store(true, std::memory_order_release);
    prepared_.insert(prepared_.begin(), std::make_move_iterator(groups.begin()), std::make_move_iterator(groups.end()));
    wake_all();
    return;
  }
  durable_size_.store(log_.durable().size, std::memory_order_release);
  committed_.push_back(std::move(groups));
  if (can_commit() || can_prepare()) wake_one();  // while this one reports
}

std::error_code Writer::write_and_sync(const Groups& groups) {
  std::vector<PreparedGroup*> run;
  const auto write_run = [&]() -> std::error_code {
    const auto error = run.empty() ? std::error_code{} : log_.write(run);
    run.clear();
    return error;
  };
  bool has_new_segment = false;
  for (const auto& group : groups) {
    if (group->error) return group->error;
    if (group->begins_segment) {
      if (const auto error = write_run()) return error;
      if (const auto error = log_.begin_segment(*group->segment)) return error;
      has_new_segment = true;
    }
    run.push_back(group.get());
  }
  if (const auto error = write_run()) return error;
  if (const auto error = log_.sync()) return error;
  if (has_new_segment || Clock::now() - state_saved_ >= kStateEvery) return save_state(false);
  return {};
}

std::error_code Writer::save_state(bool clean) {
  state_saved_ = Clock::now();
  state_.durable = log_.durable();
  state_.clean = clean;
  return state_file_.save(state_);
}

bool Writer::can_report() const { return !is_reporting_ && !committed_.empty(); }

void Writer::report(Guard& guard) {
  is_reporting_ = true;
  Groups groups = std::move(committed_.front());
  committed_.pop_front();
  guard.unlock();
  std::uint64_t records = 0, octets = 0;
  for (const auto& group : groups) {
    tell_observer(*group);
    records += group->entries.size();
    for (Entry& entry : group->entries) {
      octets += entry.payload.size();
      recycle(entry);
    }
    group->entries.clear();
  }
  held_octets_.fetch_sub(octets, std::memory_order_relaxed);
  held_records_.fetch_sub(records, std::memory_order_relaxed);
  guard.lock();
  is_reporting_ = false;
  if (returned_.empty()) returned_.swap(wiped_);
  for (auto& group : groups)
    if (free_.size() < kPreparedMax) free_.push_back(std::move(group));
}

void Writer::recycle(Entry& entry) {
  wipe(entry.payload);
  if (entry.payload.capacity() <= kSpareBufferSizeMax && wiped_.size() < kSpareBuffersMax)
    wiped_.push_back(std::move(entry.payload));
}

void Writer::tell_observer(const PreparedGroup& group) {
  if (options_.observer == nullptr) return;
  told_.resize(group.entries.size());
  for (std::size_t i = 0; i < told_.size(); ++i) {
    told_[i].index = group.first_index + i;
    std::ranges::copy(group.leaf(i), told_[i].leaf.begin());
    told_[i].payload = group.entries[i].payload;
  }
  options_.observer->on_durable(told_);
}

// Only when all that was synced before is reported.
bool Writer::can_tell_failure() const {
  return failure_ && !is_told_ && committed_.empty() && !is_reporting_ && !is_committing_;
}

void Writer::tell_failure(Guard& guard) {
  is_reporting_ = true;
  guard.unlock();
  note_outage();
  if (options_.observer != nullptr) options_.observer->on_failed(failure_, durable_size());
  guard.lock();
  is_reporting_ = false;
  is_told_ = true;
  wake_all();
}

void Writer::note_outage() {
  OutageReserve reserve(*options_.disk, options_.state, options_.site, options_.node);
  const Instant now = options_.clock ? options_.clock() : options_.now;
  // There is nowhere left to report a failure of this: the observer is told of the first one in any case.
  static_cast<void>(reserve.note({now, durable_size(), failure_.message()}));
}

}  // namespace chancery::journal
