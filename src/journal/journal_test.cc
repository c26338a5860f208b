#include "journal/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "journal/format.h"
#include "journal/journal_fixture.h"

namespace chancery::journal {
namespace {

using ::testing::ElementsAre;

class JournalTest : public ::testing::Test {
 protected:
  Opened open_log() {
    auto opened = open(options());
    EXPECT_TRUE(opened) << opened.error().detail;
    return *std::move(opened);
  }
  Options options() { return options_on(disk_, keys_, &memory_); }
  std::string folder(const Journal& journal) { return log_folder(kArchive, journal.origin()); }

  MemoryDisk disk_;
  KeyStore keys_ = make_keys(disk_);
  Memory memory_;
};

TEST_F(JournalTest, a_new_log_begins_with_its_epoch_and_its_segment) {
  const auto opened = open_log();
  EXPECT_EQ(opened.journal->durable_size(), 2);
  EXPECT_EQ(opened.journal->next_index(), 2);
  opened.journal->close();
  const auto records = read_all(disk_, folder(*opened.journal), &keys_);
  ASSERT_EQ(records.size(), 2);
  EXPECT_EQ(records[0].leaf.type, LeafType::log_opened);
  EXPECT_EQ(records[0].payload, "epoch 0 after nothing");
  EXPECT_EQ(records[0].leaf.conversation, opened.journal->log_conversation());
  EXPECT_EQ(records[1].leaf.type, LeafType::segment_opened);
  EXPECT_EQ(records[1].body, ReadRecord::Body::empty);
}

TEST_F(JournalTest, what_is_appended_is_reported_durable_in_order_and_reads_back) {
  const auto opened = open_log();
  for (unsigned i = 0; i < 1000; ++i) EXPECT_EQ(opened.journal->append(message("text " + std::to_string(i))), 2U + i);
  EXPECT_TRUE(memory_.wait_for(1001));
  EXPECT_EQ(opened.journal->durable_size(), 1002);
  opened.journal->close();
  EXPECT_FALSE(memory_.out_of_order());
  const auto records = read_all(disk_, folder(*opened.journal), &keys_);
  ASSERT_EQ(records.size(), 1002);
  for (std::size_t i = 2; i < records.size(); ++i) {
    EXPECT_EQ(records[i].payload, "text " + std::to_string(i - 2));
    EXPECT_EQ(records[i].leaf_octets, memory_.leaves().at(i));
  }
}

TEST_F(JournalTest, a_log_goes_on_after_a_clean_close) {
  for (unsigned run = 0; run < 3; ++run) {
    const auto opened = open_log();
    EXPECT_EQ(opened.recovery.clean, run > 0);
    EXPECT_EQ(opened.recovery.new_epoch.has_value(), run == 0);
    EXPECT_EQ(opened.journal->append(message("run " + std::to_string(run))), 2U + run);
    opened.journal->close();
    EXPECT_EQ(read_all(disk_, folder(*opened.journal), &keys_).size(), 3U + run);
  }
}

}  // namespace
}  // namespace chancery::journal
