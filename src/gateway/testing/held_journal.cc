#include "gateway/testing/held_journal.h"

#include <algorithm>
#include <stdexcept>

namespace chancery::gateway::testing {

void HeldJournal::hold(bool held) {
  const std::lock_guard lock(mutex_);
  held_ = held;
}

void HeldJournal::let(std::uint64_t size) {
  {
    const std::lock_guard lock(mutex_);
    durable_ = std::min<std::uint64_t>(size, handed_);
  }
  observer_.on_durable({});
}

void HeldJournal::fail() {
  {
    const std::lock_guard lock(mutex_);
    failed_ = true;
  }
  observer_.on_failed(std::make_error_code(std::errc::io_error), durable_size());
}

void HeldJournal::full(std::size_t most) {
  const std::lock_guard lock(mutex_);
  most_ = most;
}

std::expected<std::uint64_t, std::error_code> HeldJournal::stage(journal::Entry&& entry) {
  {
    const std::lock_guard lock(mutex_);
    if (failed_) return std::unexpected(make_error_code(journal::JournalError::failed));
    if (entries_.size() - durable_ < most_) {
      entries_.push_back(std::move(entry));
      return entries_.size() - 1;
    }
  }
  hand_over();
  return std::unexpected(make_error_code(journal::JournalError::full));
}

void HeldJournal::hand_over() {
  {
    const std::lock_guard lock(mutex_);
    if (failed_ || handed_ == entries_.size()) return;
    handed_ = entries_.size();
    if (held_) return;
    durable_ = handed_;
  }
  observer_.on_durable({});
}

std::uint64_t HeldJournal::next_index() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

void HeldJournal::creep() {
  const std::lock_guard lock(mutex_);
  creeping_ = true;
}

std::uint64_t HeldJournal::durable_size() const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t seen = durable_;
  if (creeping_ && durable_ < handed_) {
    durable_ = handed_;
    creeping_ = false;
  }
  return seen;
}

std::vector<journal::Entry> HeldJournal::entries() const {
  const std::lock_guard lock(mutex_);
  return {entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(handed_)};
}

std::vector<Record> HeldJournal::records() const {
  std::vector<Record> records;
  for (const journal::Entry& entry : entries()) {
    auto record = decode_record(entry.payload);
    if (!record) throw std::runtime_error("a record that cannot be read");
    records.push_back(std::move(*record));
  }
  return records;
}

std::vector<Record> HeldJournal::records(Kind kind) const {
  std::vector<Record> all = records();
  std::erase_if(all, [&](const Record& record) { return record.event.kind != kind; });
  return all;
}

}  // namespace chancery::gateway::testing
