#pragma once
// For tests: a log on a MemoryDisk with everything that opening needs, and an observer that remembers.
#include <condition_variable>
#include <gtest/gtest.h>
#include <map>
#include <mutex>

#include "journal/memory_disk.h"
#include "journal/open.h"
#include "journal/reader.h"

namespace chancery::journal {

class Memory final : public Observer {
 public:
  void on_durable(std::span<const Durable> group) override {
    const std::lock_guard guard(mutex_);
    for (const Durable& record : group) {
      if (next_ && record.index != *next_) out_of_order_ = true;
      next_ = record.index + 1;
      records_[record.index] = Buffer(record.payload);
      leaves_[record.index] = record.leaf;
    }
    changed_.notify_all();
  }
  void on_failed(std::error_code why, std::uint64_t durable_size) override {
    const std::lock_guard guard(mutex_);
    ++failures_;
    why_ = why;
    durable_at_failure_ = durable_size;
    changed_.notify_all();
  }

  // Until `index` is durable (true) or the writer failed.
  bool wait_for(std::uint64_t index) {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [&] { return records_.contains(index) || failures_ > 0; });
    return records_.contains(index);
  }
  std::map<std::uint64_t, Buffer> records() const {
    const std::lock_guard guard(mutex_);
    return records_;
  }
  std::map<std::uint64_t, std::array<char, kLeafSize>> leaves() const {
    const std::lock_guard guard(mutex_);
    return leaves_;
  }
  int failures() const {
    const std::lock_guard guard(mutex_);
    return failures_;
  }
  std::error_code why() const {
    const std::lock_guard guard(mutex_);
    return why_;
  }
  std::uint64_t durable_at_failure() const {
    const std::lock_guard guard(mutex_);
    return durable_at_failure_;
  }
  bool out_of_order() const {
    const std::lock_guard guard(mutex_);
    return out_of_order_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, Buffer> records_;
  std::map<std::uint64_t, std::array<char, kLeafSize>> leaves_;
  std::optional<std::uint64_t> next_;
  bool out_of_order_ = false;
  int failures_ = 0;
  std::error_code why_;
  std::uint64_t durable_at_failure_ = 0;
};

inline const std::string kArchive = "/a", kKeys = "/a.keys", kState = "/a.state";
inline const Instant kNow = *parse_rfc3339("2026-05-03T09:12:44Z");

inline Entry message(std::string text, bool urgent = true, Instant time = kNow) {
  Entry entry;
  entry.time = time;
  entry.conversation.octets.fill(7);
  entry.payload = std::move(text);
  entry.urgent = urgent;
  return entry;
}

// Opens with payloads that say what they are: "epoch first", "gap torn/00000000-5.torn".
inline Options options_on(Disk& disk, KeyStore& keys, Observer* observer) {
  Options options;
  options.disk = &disk;
  options.archive = kArchive;
  options.state = kState;
  options.site = "hq";
  options.node = "gw-1";
  options.keys = &keys;
  options.observer = observer;
  options.now = kNow;
  options.clock = [] { return kNow; };
  options.epoch_record = [](const NewEpoch& epoch, const OwnRecord&) {
    return "epoch " + std::to_string(static_cast<int>(epoch.reason)) + " after " +
           epoch.previous_origin.value_or("nothing");
  };
  options.gap_record = [](const TornTail& torn, const OwnRecord&) { return "gap " + torn.path; };
  return options;
}

inline KeyStore make_keys(Disk& disk) {
  const auto error = KeyStore::create(disk, kKeys);
  EXPECT_TRUE(!error || error == KeyStoreError::exists) << error.message();
  auto keys = KeyStore::open(disk, kKeys);
  EXPECT_TRUE(keys) << keys.error().message();
  return *std::move(keys);
}

// Every record of a log at rest.
inline std::vector<ReadRecord> read_all(Disk& disk, const std::string& folder, KeyStore* keys) {
  std::vector<ReadRecord> records;
  auto reader = Reader::open(disk, folder, keys);
  EXPECT_TRUE(reader) << reader.error().message();
  if (!reader) return records;
  reader->set_limit_none();
  while (true) {
    auto record = reader->next();
    EXPECT_TRUE(record) << record.error().message() << ": " << reader->where();
    if (!record || !*record) return records;
    records.push_back(**std::move(record));
  }
}

inline std::vector<std::string> payloads(const std::vector<ReadRecord>& records) {
  std::vector<std::string> out;
  for (const ReadRecord& record : records) out.push_back(record.payload);
  return out;
}

}  // namespace chancery::journal
