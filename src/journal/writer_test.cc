// The journal while it runs: bounds, order, segments, what waits and what does not.
#include "journal/writer.h"

#include <atomic>
#include <gtest/gtest.h>
#include <latch>
#include <thread>

#include "journal/journal_fixture.h"
#include "journal/recovery.h"

namespace chancery::journal {
namespace {

class WriterTest : public testing::Test {
 protected:
  std::unique_ptr<Journal> open_log(const std::function<void(Options&)>& change = {}) {
    Options options = options_on(disk_, keys_, &memory_);
    if (change) change(options);
    auto opened = open(options);
    EXPECT_TRUE(opened) << opened.error().detail;
    folder_ = log_folder(kArchive, opened->journal->origin());
    return std::move(opened->journal);
  }
  std::vector<ReadRecord> read() { return read_all(disk_, folder_, &keys_); }

  MemoryDisk disk_;
  KeyStore keys_ = make_keys(disk_);
  Memory memory_;
  std::string folder_;
};

// Holds the journal inside on_durable until it is let go.
class Gate final : public Observer {
 public:
  void on_durable(std::span<const Durable>) override { open_.wait(); }
  void on_failed(std::error_code, std::uint64_t) override {}
  std::latch open_{1};
};

TEST_F(WriterTest, a_full_queue_refuses_until_records_are_reported) {
  Gate gate;
  const auto journal = open_log([&](Options& options) {
    options.observer = &gate;
    options.queue_records_max = 10;
  });
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(journal->append(message("x")));
  EXPECT_EQ(journal->append(message("x")).error(), JournalError::full);
  EXPECT_EQ(journal->next_index(), 12U) << "a refused record takes no index";
  gate.open_.count_down();
  while (true) {  // on_durable has been let go, so it ends
    const auto index = journal->append(message("x"));
    if (!index) std::this_thread::yield();
    if (index) break;
  }
  journal->close();
}

TEST_F(WriterTest, the_queue_is_bounded_in_octets_too_but_takes_any_one_record) {
  Gate gate;
  const auto journal = open_log([&](Options& options) {
    options.observer = &gate;
    options.queue_octets_max = 1000;
  });
  EXPECT_TRUE(journal->append(message(std::string(5000, 'x')))) << "larger than the bound, but alone";
  EXPECT_EQ(journal->append(message("x")).error(), JournalError::full);
  gate.open_.count_down();
  journal->close();
}

TEST_F(WriterTest, a_record_over_the_limit_is_refused_and_one_at_the_limit_is_kept) {
  const auto journal = open_log();
  EXPECT_EQ(journal->append(message(std::string(kPayloadSizeMax + 1, 'x'))).error(), JournalError::too_large);
  const auto index = journal->append(message(std::string(kPayloadSizeMax, 'x')));
  ASSERT_TRUE(index);
  ASSERT_TRUE(memory_.wait_for(*index));
  journal->close();
  EXPECT_EQ(read()[*index].payload.size(), kPayloadSizeMax);
}

TEST_F(WriterTest, a_closed_journal_takes_nothing_and_what_was_queued_is_durable) {
  const auto journal = open_log();
  std::uint64_t last = 0;
  for (int i = 0; i < 300; ++i) last = *journal->append(message("x", i % 2 == 0));
  journal->close();
  EXPECT_EQ(journal->append(message("x")).error(), JournalError::closed);
  EXPECT_EQ(journal->durable_size(), last + 1);
  EXPECT_EQ(memory_.records().size(), 300U);
  journal->close();
}

TEST_F(WriterTest, a_record_that_is_not_urgent_wakes_a_journal_that_has_nothing_to_do) {
  const auto journal = open_log();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(memory_.wait_for(*journal->append(message("urgent"))));
    ASSERT_TRUE(memory_.wait_for(*journal->append(message("lazy, after everybody went to sleep", false))));
  }
}

TEST_F(WriterTest, a_record_that_is_not_urgent_waits_for_the_next_group_or_a_tenth_of_a_second) {
  const auto journal = open_log();
  const auto since = std::chrono::steady_clock::now();
  ASSERT_TRUE(memory_.wait_for(*journal->append(message("alone", false))));
  EXPECT_GE(std::chrono::steady_clock::now() - since, std::chrono::milliseconds(95));
  const std::uint64_t syncs = disk_.count(MemoryDisk::Op::sync);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(journal->append(message("lazy", false)));
  ASSERT_TRUE(memory_.wait_for(*journal->append(message("urgent"))));
  // One for the group; a second one if the position was due in the state folder; two more if the 20 were overtaken
  // by their tenth of a second on a slow machine.
  EXPECT_LE(disk_.count(MemoryDisk::Op::sync) - syncs, 4U);
  journal->close();
}

std::vector<Entry> messages(std::size_t count) {
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < count; ++i) entries.push_back(message("record " + std::to_string(i)));
  return entries;
}

TEST_F(WriterTest, a_batch_is_taken_in_its_order) {
  const auto journal = open_log();
  auto entries = messages(300);
  const Appended done = journal->append(entries);
  EXPECT_FALSE(done.error);
  EXPECT_EQ(done.count, 300U);
  EXPECT_EQ(done.first, 2U);
  EXPECT_EQ(done.last, 301U);
  EXPECT_EQ(journal->next_index(), 302U);
  EXPECT_EQ(journal->append(std::span<Entry>{}).count, 0U);
  ASSERT_TRUE(memory_.wait_for(done.last));
  journal->close();
  const auto records = read();
  ASSERT_EQ(records.size(), 302U);
  for (std::size_t i = 0; i < 300; ++i) EXPECT_EQ(records[2 + i].payload, "record " + std::to_string(i));
}

TEST_F(WriterTest, of_a_batch_that_the_queue_cannot_hold_a_prefix_is_taken_and_the_rest_left_alone) {
  Gate gate;
  const auto journal = open_log([&](Options& options) {
    options.observer = &gate;
    options.queue_records_max = 10;
  });
  auto entries = messages(25);
  Appended done = journal->append(entries);
  EXPECT_EQ(done.error, JournalError::full);
  EXPECT_EQ(done.count, 10U);
  EXPECT_EQ(done.last, done.first + 9);
  EXPECT_EQ(entries[10].payload, "record 10");
  EXPECT_EQ(entries[24].payload, "record 24");
  EXPECT_EQ(journal->append(std::span(entries).subspan(10)).count, 0U) << "nothing was reported yet";
  gate.open_.count_down();
  for (std::size_t next = 10; next < entries.size(); next += done.count) {
    done = journal->append(std::span(entries).subspan(next));
    if (done.count == 0) std::this_thread::yield();
  }
  journal->close();
  const auto records = read();
  ASSERT_EQ(records.size(), 27U);
  for (std::size_t i = 0; i < 25; ++i) EXPECT_EQ(records[2 + i].payload, "record " + std::to_string(i));
}

TEST_F(WriterTest, a_batch_ends_at_a_record_over_the_limit) {
  const auto journal = open_log();
  auto entries = messages(5);
  entries[2].payload.assign(kPayloadSizeMax + 1, 'x');
  const Appended done = journal->append(entries);
  EXPECT_EQ(done.error, JournalError::too_large);
  EXPECT_EQ(done.count, 2U);
  EXPECT_EQ(entries[2].payload.size(), kPayloadSizeMax + 1);
  EXPECT_EQ(entries[3].payload, "record 3");
  journal->close();
  EXPECT_EQ(journal->append(std::span(entries).subspan(3)).error, JournalError::closed);
  EXPECT_EQ(read().size(), 4U);
}

TEST_F(WriterTest, what_is_staged_goes_with_the_next_handing_over_and_with_close) {
  const auto journal = open_log();
  EXPECT_EQ(*journal->stage(message("one")), 2U);
  EXPECT_EQ(*journal->append(message("two")), 3U);
  ASSERT_TRUE(memory_.wait_for(3));
  EXPECT_EQ(*journal->stage(message("three")), 4U);
  EXPECT_EQ(journal->durable_size(), 4U);
  journal->close();
  EXPECT_EQ(journal->stage(message("four")).error(), JournalError::closed);
  EXPECT_EQ(payloads(read()), (std::vector<std::string>{"epoch 0 after nothing", "", "one", "two", "three"}));
}

TEST_F(WriterTest, a_full_queue_hands_over_what_is_staged_so_that_room_comes) {
  const auto journal = open_log([&](Options& options) { options.queue_records_max = 10; });
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(journal->stage(message("x")));
  EXPECT_EQ(journal->stage(message("x")).error(), JournalError::full);
  EXPECT_TRUE(memory_.wait_for(11));
  journal->close();
}

TEST_F(WriterTest, no_segment_begins_before_a_joined_record) {
  const auto journal = open_log([](Options& options) { options.segment_size_max = 1000; });
  for (int unit = 0; unit < 10; ++unit) {
    std::vector<Entry> entries = messages(30);
    for (Entry& entry : entries) entry.joined = &entry != entries.data();
    const Appended done = journal->append(entries);
    ASSERT_EQ(done.count, 30U);
    ASSERT_EQ(done.last, done.first + 29);
  }
  journal->close();
  EXPECT_EQ(read_shape(disk_, folder_, journal->origin())->headers.size(), 10U);
}

TEST_F(WriterTest, buffers_come_back_wiped_for_the_next_records) {
  const auto journal = open_log();
  ASSERT_TRUE(memory_.wait_for(*journal->append(message(std::string(500, 'x')))));
  Buffer spare;
  for (int i = 0; i < 100 && spare.capacity() < 500; ++i) {
    ASSERT_TRUE(memory_.wait_for(*journal->append(message("short"))));  // one after the reporting of the one before
    spare = journal->spare_buffer();
  }
  EXPECT_TRUE(spare.empty());
  EXPECT_GE(spare.capacity(), 500U);
  EXPECT_EQ(Bytes(spare.data(), 500).find('x'), Bytes::npos) << "memory that held plaintext";
  journal->close();
}

TEST_F(WriterTest, a_segment_ends_at_its_size_and_the_next_opens_with_its_sheet) {
  const auto journal = open_log([](Options& options) { options.segment_size_max = 3000; });
  std::uint64_t last = 0;
  for (int i = 0; i < 100; ++i) last = *journal->append(message("record " + std::to_string(i)));
  ASSERT_TRUE(memory_.wait_for(last));
  journal->close();
  const auto shape = read_shape(disk_, folder_, journal->origin());
  ASSERT_TRUE(shape);
  EXPECT_GT(shape->headers.size(), 4U);
  const auto records = read();
  ASSERT_EQ(records.size(), last + 1);
  Crypto crypto;
  for (const SegmentHeader& header : shape->headers) {
    const ReadRecord& first = records[header.first_index + (header.number == 0 ? 1 : 0)];
    EXPECT_EQ(first.leaf.type, LeafType::segment_opened);
    EXPECT_EQ(first.leaf.conversation_sequence, header.number);
    EXPECT_TRUE(first.leaf.conversation.is_nil());
    EXPECT_EQ(first.leaf.second, crypto.sha256({disk_.contents(folder_ + "/" + sheet_file(header.number))}));
  }
  std::size_t messages = 0;
  for (const ReadRecord& record : records)
    if (record.leaf.type == LeafType::record) {
      EXPECT_EQ(record.payload, "record " + std::to_string(messages++));
    }
  EXPECT_EQ(messages, 100U);
}

TEST_F(WriterTest, a_new_day_begins_a_new_segment_and_an_earlier_time_does_not) {
  const auto journal = open_log();
  std::uint64_t last = *journal->append(message("today"));
  EXPECT_EQ(*journal->append(message("tomorrow", true, kNow + std::chrono::days(1))), last + 2);
  last = *journal->append(message("today again"));
  ASSERT_TRUE(memory_.wait_for(last));
  journal->close();
  EXPECT_EQ(read_shape(disk_, folder_, journal->origin())->headers.size(), 2U);
  EXPECT_FALSE(disk_.contents(kKeys + "/day/20260504-00000.key").empty());
  EXPECT_EQ(read()[last].payload, "today again");
}

TEST_F(WriterTest, a_batch_that_threads_share_is_synced_once) {
  constexpr std::uint64_t kBatches = 40;
  const auto journal = open_log([](Options& options) { options.threads = 2; });
  ASSERT_TRUE(memory_.wait_for(*journal->append(message("x"))));
  const auto since = std::chrono::steady_clock::now();
  const std::uint64_t syncs = disk_.count(MemoryDisk::Op::sync);
  for (std::uint64_t i = 0; i < kBatches; ++i) {
    auto entries = messages(200);
    ASSERT_TRUE(memory_.wait_for(journal->append(entries).last));
  }
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(std::chrono::steady_clock::now() - since);
  // The state folder is synced once a second besides.
  EXPECT_LE(disk_.count(MemoryDisk::Op::sync) - syncs, kBatches + 2 * static_cast<std::uint64_t>(seconds.count()));
  journal->close();
}

class Threads : public WriterTest, public testing::WithParamInterface<std::uint32_t> {};

TEST_P(Threads, records_are_written_and_reported_in_order) {
  constexpr std::uint64_t kRecords = 3000;
  const auto journal = open_log([](Options& options) {
    options.threads = GetParam();
    options.segment_size_max = 200000;
  });
  std::uint64_t last = 0;
  std::map<std::uint64_t, Buffer> sent;
  for (std::uint64_t i = 0; i < kRecords; ++i) {
    Buffer text = std::to_string(i) + std::string(i % 300, 'x');
    const auto index = journal->append(message(text, i % 7 != 0));
    ASSERT_TRUE(index);
    last = *index;
    sent[last] = std::move(text);
  }
  ASSERT_TRUE(memory_.wait_for(last));
  journal->close();
  EXPECT_FALSE(memory_.out_of_order());
  const auto records = read();
  ASSERT_EQ(records.size(), last + 1);
  for (const auto& [index, text] : sent) ASSERT_EQ(records[index].payload, text) << index;
}

INSTANTIATE_TEST_SUITE_P(Counts, Threads, testing::Values(1U, 2U, 3U, 8U));

// Looks at the disk as a power loss at this moment would leave it at worst.
class SyncWitness final : public Observer {
 public:
  explicit SyncWitness(MemoryDisk& disk, std::string& folder) : disk_(disk), folder_(folder) {}
  void on_durable(std::span<const Durable> group) override {
    const auto worst = disk_.after_power_loss([] { return false; });
    Buffer all;
    for (const std::string& path : worst->files(folder_ + "/segments")) all += worst->contents(path);
    for (const Durable& record : group) {
      ++seen;
      if (all.find(Bytes(record.leaf.data(), record.leaf.size())) == Buffer::npos) ++missing;
    }
  }
  void on_failed(std::error_code, std::uint64_t) override {}
  std::uint64_t seen = 0, missing = 0;

 private:
  MemoryDisk& disk_;
  std::string& folder_;
};

TEST_F(WriterTest, nothing_is_reported_before_the_sync_that_covers_it) {
  SyncWitness witness(disk_, folder_);
  const auto journal = open_log([&](Options& options) {
    options.observer = &witness;
    options.segment_size_max = 3000;
  });
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(journal->append(message("record " + std::to_string(i))));
  journal->close();
  EXPECT_GE(witness.seen, 100U);
  EXPECT_EQ(witness.missing, 0U);
}

TEST_F(WriterTest, after_a_failed_sync_nothing_is_written_or_synced_again) {
  const auto journal = open_log([](Options& options) { options.threads = 1; });
  disk_.fail(MemoryDisk::Op::sync, 1, std::errc::io_error);
  ASSERT_FALSE(memory_.wait_for(*journal->append(message("lost"))));
  EXPECT_EQ(memory_.why(), std::errc::io_error);
  EXPECT_EQ(memory_.durable_at_failure(), 2U);
  const Buffer before = disk_.contents(folder_ + "/" + segment_file(0));
  EXPECT_EQ(journal->append(message("x")).error(), JournalError::failed);
  journal->close();
  EXPECT_EQ(disk_.contents(folder_ + "/" + segment_file(0)), before);
  EXPECT_EQ(journal->durable_size(), 2U);
}

TEST_F(WriterTest, a_priority_is_taken_or_refused_once_and_records_flow_either_way) {
  std::atomic<int> refusals = 0;
  const auto journal = open_log([&](Options& options) {
    options.threads = 3;
    options.priority = 5;
    options.on_priority_refused = [&](std::error_code why) {
      EXPECT_TRUE(why == std::errc::permission_denied || why == std::errc::operation_not_permitted) << why.message();
      ++refusals;
    };
  });
  ASSERT_TRUE(memory_.wait_for(*journal->append(message("x"))));
  journal->close();
  EXPECT_LE(refusals, 1);
}

TEST_F(WriterTest, the_second_hash_of_what_is_no_message_is_the_appenders) {
  const auto journal = open_log();
  Entry entry = message("key change");
  entry.type = LeafType::key_added;
  entry.second.fill(0x77);
  const auto index = journal->append(std::move(entry));
  ASSERT_TRUE(memory_.wait_for(*index));
  journal->close();
  const auto records = read();
  EXPECT_EQ(records[*index].leaf.second[0], 0x77);
  EXPECT_EQ(records[*index].payload, "key change");
}

}  // namespace
}  // namespace chancery::journal
