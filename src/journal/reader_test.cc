#include "journal/reader.h"

#include <atomic>
#include <gtest/gtest.h>
#include <random>
#include <thread>

#include "journal/format.h"
#include "journal/journal_fixture.h"
#include "journal/sheet.h"

namespace chancery::journal {
namespace {

class ReaderTest : public testing::Test {
 protected:
  static constexpr std::uint64_t kRecords = 700;

  // Segments and groups of many sizes.
  ReaderTest() {
    Options options = options_on(disk_, keys_, &memory_);
    options.segment_size_max = 40000;
    auto opened = open(options);
    EXPECT_TRUE(opened) << opened.error().detail;
    journal_ = std::move(opened->journal);
    folder_ = log_folder(kArchive, journal_->origin());
    std::uint64_t last = 0;
    for (std::uint64_t i = 0; i < kRecords; ++i) {
      last = *journal_->append(message("text " + std::to_string(i)));
      if (i % 31 == 0) memory_.wait_for(last);
    }
    EXPECT_TRUE(memory_.wait_for(last));
    size_ = last + 1;
  }
  Reader reader(KeyStore* keys) {
    auto opened = Reader::open(disk_, folder_, keys);
    EXPECT_TRUE(opened) << opened.error().message();
    return *std::move(opened);
  }

  MemoryDisk disk_;
  KeyStore keys_ = make_keys(disk_);
  Memory memory_;
  std::unique_ptr<Journal> journal_;
  std::string folder_;
  std::uint64_t size_ = 0;
};

TEST_F(ReaderTest, gives_every_record_in_order_up_to_the_limit_and_goes_on_when_it_is_raised) {
  Reader r = reader(&keys_);
  EXPECT_EQ(r.origin(), journal_->origin());
  std::uint64_t index = 0;
  for (const std::uint64_t limit : {std::uint64_t{100}, std::uint64_t{101}, size_ - 1, size_}) {
    r.set_limit(limit);
    while (true) {
      const auto record = r.next();
      ASSERT_TRUE(record) << r.where();
      if (!*record) break;
      EXPECT_EQ((*record)->index, index);
      if (index >= 2) {
        EXPECT_EQ((*record)->payload, memory_.records().at(index));
        EXPECT_EQ((*record)->leaf_octets, memory_.leaves().at(index));
      }
      ++index;
    }
    EXPECT_EQ(index, limit);
  }
}

TEST_F(ReaderTest, gives_any_record_by_its_index_and_from_any_place) {
  Reader r = reader(&keys_);
  r.set_limit(size_);
  std::mt19937_64 random(7);
  const auto expected = memory_.records();
  for (int i = 0; i < 500; ++i) {
    const std::uint64_t index = 2 + random() % (size_ - 2);
    const auto record = r.at(index);
    ASSERT_TRUE(record) << r.where();
    ASSERT_EQ(record->payload, expected.at(index)) << index;
    if (i % 10 != 0) continue;
    r.seek(index);
    ASSERT_EQ((*r.next())->payload, expected.at(index)) << index;
  }
  EXPECT_EQ(r.at(size_).error(), std::errc::result_out_of_range);
  r.seek(size_ + 5);
  EXPECT_FALSE(*r.next());
}

TEST_F(ReaderTest, without_a_limit_gives_only_what_a_later_group_calls_durable) {
  Reader r = reader(nullptr);
  std::uint64_t count = 0;
  while (*r.next()) ++count;
  EXPECT_LT(count, size_);
  const std::uint64_t before = count;
  ASSERT_TRUE(memory_.wait_for(*journal_->append(message("one more"))));
  while (*r.next()) ++count;
  EXPECT_GT(count, before);
  EXPECT_EQ(count, size_);
  r.set_limit_none();
  while (*r.next()) ++count;
  EXPECT_EQ(count, size_ + 1);
}

TEST_F(ReaderTest, follows_a_log_that_is_being_written) {
  Reader r = reader(&keys_);  // a key store may be shared with the writer
  std::atomic<bool> done = false;
  std::uint64_t count = 0;
  std::string problem;
  std::thread follower([&] {
    while (problem.empty()) {
      const bool was_done = done;
      r.set_limit(journal_->durable_size());
      const auto record = r.next();
      if (!record) problem = record.error().message() + ": " + r.where();
      if (record && *record) ++count;
      if (record && !*record && was_done) break;
    }
  });
  std::uint64_t last = 0;
  for (std::uint64_t i = 0; i < 1500; ++i) last = *journal_->append(message("later " + std::to_string(i)));
  ASSERT_TRUE(memory_.wait_for(last));
  done = true;
  follower.join();
  EXPECT_EQ(problem, "");
  EXPECT_EQ(count, last + 1);
}

TEST_F(ReaderTest, says_where_a_log_is_damaged_and_reads_the_rest) {
  const std::string path = folder_ + "/" + segment_file(1);
  Buffer octets = disk_.contents(path);
  octets[kSegmentHeaderSize + kGroupHeaderSize + 40] ^= 1;
  disk_.set_contents(path, octets);
  Reader r = reader(&keys_);
  r.set_limit(size_);
  std::uint64_t index = 0;
  while (true) {
    const auto record = r.next();
    if (!record) {
      EXPECT_EQ(record.error(), JournalError::corrupt);
      break;
    }
    ASSERT_TRUE(*record);
    ++index;
  }
  EXPECT_EQ(r.where(), "segment 00000001, offset 256, record " + std::to_string(index) + ": frame of record " +
                           std::to_string(index));
  EXPECT_TRUE(r.at(size_ - 1)) << "later segments can still be read";
}

TEST_F(ReaderTest, a_missing_segment_or_sheet_is_an_error_and_not_an_end) {
  const std::string sheet = folder_ + "/" + sheet_file(1);
  const Buffer octets = disk_.contents(sheet);
  disk_.erase(sheet);
  Reader r = reader(&keys_);
  r.set_limit(size_);
  while (true) {
    const auto record = r.next();
    if (!record) break;
    ASSERT_TRUE(*record);
  }
  disk_.set_contents(sheet, octets);
  disk_.erase(folder_ + "/" + segment_file(1));
  EXPECT_EQ(Reader::open(disk_, folder_, &keys_).error(), JournalError::corrupt);
  EXPECT_FALSE(Reader::open(disk_, "/elsewhere", &keys_));
}

TEST_F(ReaderTest, a_record_that_is_punctured_out_of_its_sheet_is_erased_and_others_are_not) {
  journal_->close();
  Crypto crypto;
  const std::string path = folder_ + "/" + sheet_file(1);
  Sheet sheet = *decode_sheet(disk_.contents(path));
  const auto key = keys_.day_key(0, std::chrono::floor<std::chrono::days>(kNow));
  const auto nodes = open_section(crypto, sheet, journal_->origin(), sheet.sections[0], key->secret);
  ASSERT_TRUE(nodes);
  constexpr std::uint32_t kGone = 4;
  sheet.sections[0] =
      seal_section(crypto, sheet, journal_->origin(), 0, sheet.sections[0].day, *key, punctured(crypto, *nodes, kGone));
  disk_.set_contents(path, encode(sheet));
  for (const ReadRecord& record : read_all(disk_, folder_, &keys_)) {
    if (record.index < 2 || record.body == ReadRecord::Body::empty) continue;
    const bool is_gone = record.index == sheet.first_index + kGone;
    EXPECT_EQ(record.body, is_gone ? ReadRecord::Body::erased : ReadRecord::Body::clear) << record.index;
    EXPECT_EQ(record.payload, is_gone ? "" : memory_.records().at(record.index));
  }
}

TEST_F(ReaderTest, a_key_that_is_not_here_seals_the_bodies_only) {
  disk_.erase(kKeys + "/day/20260503-00000.key");
  const auto record = [&] {
    Reader r = reader(&keys_);
    r.set_limit(size_);
    return *r.at(10);
  }();
  EXPECT_EQ(record.body, ReadRecord::Body::sealed);
  EXPECT_EQ(record.leaf_octets, memory_.leaves().at(10));
}

// Erasing a segment's octets is one thing; another record's ciphertext in its place is found by commitment and key.
TEST_F(ReaderTest, a_body_that_is_not_what_its_leaf_commits_to_is_corrupt) {
  journal_->close();
  const std::string path = folder_ + "/" + sheet_file(0);
  Crypto crypto;
  Sheet sheet = *decode_sheet(disk_.contents(path));
  const auto key = keys_.day_key(0, std::chrono::floor<std::chrono::days>(kNow));
  sheet.sections[0] = seal_section(crypto, sheet, journal_->origin(), 0, sheet.sections[0].day, *key,
                                   {{0, 0, random_secret()}});  // other secrets
  disk_.set_contents(path, encode(sheet));
  Reader r = reader(&keys_);
  r.set_limit(size_);
  EXPECT_EQ(r.at(5).error(), JournalError::corrupt);
  EXPECT_EQ(r.where(), "segment 00000000, record 5: does not decrypt to what it commits to");
}

}  // namespace
}  // namespace chancery::journal
