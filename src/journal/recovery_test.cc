// Torn tail or damage, new epochs, locks: what `open` finds and what it does about it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/encoding.h"
#include "journal/format.h"
#include "journal/journal_fixture.h"
#include "journal/scan.h"
#include "journal/state.h"

namespace chancery::journal {
namespace {

using testing::HasSubstr;

class RecoveryTest : public testing::Test {
 protected:
  // A log of 2 + 5 records, each message in a group of its own, cleanly closed.
  RecoveryTest() {
    Memory memory;
    const Opened opened = open_or_fail(&memory);
    origin_ = opened.journal->origin();
    folder_ = log_folder(kArchive, origin_);
    segment_ = folder_ + "/" + segment_file(0);
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(memory.wait_for(*opened.journal->append(message("m" + std::to_string(i)))));
    opened.journal->close();
    whole_ = disk_.contents(segment_);
  }

  Options options(Observer* observer = nullptr) {
    Options options = options_on(disk_, keys_, observer);
    options.published_size = [this](const std::string&) { return published_; };
    return options;
  }
  Opened open_or_fail(Observer* observer = nullptr) {
    auto opened = open(options(observer));
    EXPECT_TRUE(opened) << opened.error().detail;
    return *std::move(opened);
  }
  // As if the writer had died before it said anything in the state folder.
  void forget_position() {
    StateFile file(disk_, kState, "hq", "gw-1");
    State state = **file.load();
    state.durable = {0, {}};
    state.clean = false;
    EXPECT_FALSE(file.save(state));
  }
  std::vector<Group> groups() {
    Crypto crypto;
    auto file = disk_.open(segment_, Disk::Mode::read);
    SegmentScanner scanner(crypto, **file, *decode_segment_header(disk_.contents(segment_)));
    std::vector<Group> found;
    while (true) {
      auto group = scanner.next();
      if (!group || !*group) return found;
      (*group)->frames.clear();
      (*group)->octets = Bytes(whole_).substr((*group)->offset, (*group)->octets.size());
      found.push_back(**group);
    }
  }
  std::vector<std::string> read() { return payloads(read_all(disk_, folder_, &keys_)); }

  MemoryDisk disk_;
  KeyStore keys_ = make_keys(disk_);
  std::uint64_t published_ = 0;
  std::string origin_, folder_, segment_;
  Buffer whole_;
};

TEST_F(RecoveryTest, an_unfinished_last_group_is_kept_aside_and_the_log_goes_on_after_a_gap_record) {
  forget_position();
  const Group last = groups().back();
  for (std::uint64_t cut = 1; cut < last.octets.size(); cut += 13) {
    SCOPED_TRACE("cut to " + std::to_string(cut) + " octets of the last group");
    disk_.set_contents(segment_, Bytes(whole_).substr(0, last.offset + cut));
    const Opened opened = open_or_fail();
    ASSERT_TRUE(opened.recovery.torn);
    EXPECT_FALSE(opened.recovery.clean);
    EXPECT_EQ(opened.recovery.torn->first_index, 6U);
    EXPECT_EQ(opened.recovery.torn->size, cut);
    EXPECT_EQ(disk_.contents(folder_ + "/torn/00000000-6.torn"), last.octets.substr(0, cut));
    EXPECT_EQ(opened.journal->durable_size(), 7U);
    const auto records = read_all(disk_, folder_, &keys_);
    ASSERT_EQ(records.size(), 7U);
    EXPECT_EQ(records[6].leaf.type, LeafType::torn_tail);
    EXPECT_EQ(records[6].payload, "gap torn/00000000-6.torn");
    EXPECT_EQ(records[6].leaf.second, Crypto().sha256({last.octets.substr(0, cut)}));
    EXPECT_EQ(records[6].leaf.conversation, opened.journal->log_conversation());
    EXPECT_EQ(records[6].leaf.conversation_sequence, 1U);
    opened.journal->close();
    EXPECT_FALSE(open_or_fail().recovery.torn);
    disk_.erase(folder_ + "/torn/00000000-6.torn");
    forget_position();
  }
}

TEST_F(RecoveryTest, damage_below_a_later_groups_durable_index_is_refused_and_named) {
  forget_position();
  const auto all = groups();
  // Every group but the last two: the last one says that all before it were durable.
  for (std::size_t g = 0; g + 1 < all.size(); ++g) {
    for (const std::size_t at : {std::size_t{0}, std::size_t{5}, kGroupHeaderSize + 3, all[g].octets.size() - 1}) {
      SCOPED_TRACE("group " + std::to_string(g) + ", octet " + std::to_string(at));
      Buffer changed = whole_;
      changed[all[g].offset + at] = static_cast<char>(changed[all[g].offset + at] ^ 0x10);
      disk_.set_contents(segment_, changed);
      const auto opened = open(options());
      ASSERT_FALSE(opened);
      EXPECT_EQ(opened.error().code, JournalError::corrupt);
      EXPECT_THAT(opened.error().detail, HasSubstr("segment 00000000, offset " + std::to_string(all[g].offset) +
                                                   ", record " + std::to_string(all[g].header.first_index)));
      EXPECT_EQ(disk_.contents(segment_), changed) << "a refused log is not touched";
    }
  }
}

TEST_F(RecoveryTest, a_damaged_last_group_is_torn_only_while_nothing_says_it_was_durable) {
  Buffer changed = whole_;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  disk_.set_contents(segment_, changed);
  // The state folder says that 7 records were durable.
  auto opened = open(options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, JournalError::corrupt);
  EXPECT_THAT(opened.error().detail, HasSubstr("the state folder says that 7 records were durable"));
  forget_position();
  published_ = 7;
  opened = open(options());
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().detail, HasSubstr("a checkpoint of size 7 is published"));
  published_ = 6;
  opened = open(options());
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_TRUE(opened->recovery.torn);
}

TEST_F(RecoveryTest, a_log_that_ends_cleanly_below_its_checkpoint_is_refused) {
  forget_position();
  published_ = 7;
  disk_.set_contents(segment_, Bytes(whole_).substr(0, groups().back().offset));
  const auto opened = open(options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, JournalError::corrupt);
  EXPECT_THAT(opened.error().detail, HasSubstr("below its published checkpoint of size 7"));
}

TEST_F(RecoveryTest, a_changed_segment_header_is_refused) {
  for (std::size_t at = 0; at < kSegmentHeaderSize; ++at) {
    Buffer changed = whole_;
    changed[at] = static_cast<char>(changed[at] ^ 0x01);
    disk_.set_contents(segment_, changed);
    const auto opened = open(options());
    ASSERT_FALSE(opened) << at;
    EXPECT_THAT(opened.error().detail, HasSubstr("00000000.seg: segment header"));
  }
}

TEST_F(RecoveryTest, a_segment_of_another_log_is_foreign) {
  SegmentHeader header = *decode_segment_header(whole_);
  header.origin = "hq/gw-1/00000009-00000000";
  const auto octets = encode(header);
  Buffer changed = whole_;
  changed.replace(0, octets.size(), octets.data(), octets.size());
  disk_.set_contents(segment_, changed);
  const auto opened = open(options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, JournalError::foreign);
}

TEST_F(RecoveryTest, without_its_key_a_log_is_not_written_on) {
  disk_.erase(kKeys + "/day/20260503-00000.key");
  const auto opened = open(options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, JournalError::keys_missing);
}

TEST_F(RecoveryTest, unfinished_creations_and_a_sheet_without_its_segment_are_removed) {
  for (const char* name : {"/segments/00000001.seg.new", "/segments/00000001.sheet.new", "/segments/00000001.sheet"})
    disk_.set_contents(folder_ + name, "left over");
  const Opened opened = open_or_fail();
  EXPECT_EQ(disk_.files(folder_ + "/segments").size(), 2U);
}

TEST_F(RecoveryTest, a_second_writer_is_locked_out_until_the_first_is_gone) {
  const Opened first = open_or_fail();
  const auto second = open(options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, JournalError::locked);
  first.journal->close();
  EXPECT_TRUE(open(options()));
}

// Epochs.

void expect_epoch(const Opened& opened, EpochReason reason, const std::string& previous, std::uint64_t size) {
  ASSERT_TRUE(opened.recovery.new_epoch);
  EXPECT_EQ(opened.recovery.new_epoch->reason, reason);
  EXPECT_EQ(opened.recovery.new_epoch->previous_origin, previous);
  EXPECT_EQ(opened.recovery.new_epoch->previous_size, size);
  EXPECT_EQ(opened.recovery.new_epoch->origin, opened.journal->origin());
  EXPECT_THAT(opened.journal->origin(), HasSubstr("hq/gw-1/00000002-"));
  EXPECT_EQ(opened.journal->durable_size(), 2U);
}

TEST_F(RecoveryTest, a_used_archive_without_its_state_gets_a_new_epoch) {
  disk_.erase(kState);
  expect_epoch(open_or_fail(), EpochReason::state_missing, origin_, 0);
  EXPECT_EQ(disk_.contents(segment_), whole_) << "the old log is left as it was";
}

TEST_F(RecoveryTest, a_log_that_is_shorter_than_the_state_says_gets_a_new_epoch) {
  disk_.set_contents(segment_, Bytes(whole_).substr(0, groups().back().offset));
  expect_epoch(open_or_fail(), EpochReason::rolled_back, origin_, 7);
}

TEST_F(RecoveryTest, a_log_that_is_gone_gets_a_new_epoch) {
  disk_.erase(folder_);
  expect_epoch(open_or_fail(), EpochReason::rolled_back, origin_, 7);
}

TEST_F(RecoveryTest, logs_without_their_archive_json_are_refused) {
  disk_.erase(std::string(kArchive) + "/archive.json");
  const auto opened = open(options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, JournalError::foreign);
  EXPECT_THAT(opened.error().detail, HasSubstr("archive.json is missing"));
  EXPECT_EQ(disk_.contents(segment_), whole_);
}

TEST_F(RecoveryTest, a_folder_of_something_else_is_not_made_an_archive) {
  disk_.erase(kArchive);
  ASSERT_FALSE(disk_.make_directory(kArchive));
  disk_.set_contents(std::string(kArchive) + "/holiday.jpg", "x");
  const auto opened = open(options());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, JournalError::foreign);
  EXPECT_THAT(opened.error().detail, HasSubstr("holiday.jpg"));
  EXPECT_THAT(*disk_.list(kArchive), testing::ElementsAre("holiday.jpg"));
}

TEST_F(RecoveryTest, a_log_that_was_written_on_elsewhere_gets_a_new_epoch) {
  StateFile file(disk_, kState, "hq", "gw-1");
  State state = **file.load();
  state.durable.chain[0] ^= 1;
  ASSERT_FALSE(file.save(state));
  expect_epoch(open_or_fail(), EpochReason::forked, origin_, 7);
}

TEST_F(RecoveryTest, a_restored_backup_gets_one_new_epoch_and_then_goes_on) {
  disk_.set_contents(kArchive + "/backup.json", "{}");
  std::string origin;
  {
    const Opened opened = open_or_fail();
    expect_epoch(opened, EpochReason::restored, origin_, 7);
    origin = opened.journal->origin();
    opened.journal->close();
  }
  const Opened again = open_or_fail();
  EXPECT_FALSE(again.recovery.new_epoch);
  EXPECT_EQ(again.journal->origin(), origin);
}

TEST_F(RecoveryTest, a_new_epoch_that_the_old_archive_does_not_know_is_not_resumed) {
  disk_.erase(kState);
  std::string second;
  {
    const Opened opened = open_or_fail();
    second = opened.journal->origin();
    opened.journal->close();
  }
  disk_.erase(kArchive + "/logs/" + second);  // the disk is rolled back to before it
  const Opened opened = open_or_fail();
  ASSERT_TRUE(opened.recovery.new_epoch);
  EXPECT_EQ(opened.recovery.new_epoch->reason, EpochReason::rolled_back);
  EXPECT_EQ(opened.recovery.new_epoch->previous_origin, second);
  EXPECT_THAT(opened.journal->origin(), HasSubstr("hq/gw-1/00000003-"));
}

TEST_F(RecoveryTest, the_secret_of_a_log_stays_and_differs_by_label_and_log) {
  Opened opened = open_or_fail();
  const Secret secret = opened.journal->derive_secret("conversations");
  EXPECT_NE(opened.journal->derive_secret("other"), secret);
  opened.journal->close();
  opened = open_or_fail();
  EXPECT_EQ(opened.journal->derive_secret("conversations"), secret);
  opened.journal->close();
  disk_.erase(kState);
  EXPECT_NE(open_or_fail().journal->derive_secret("conversations"), secret);
}

TEST_F(RecoveryTest, the_logs_own_sequence_goes_on_where_it_was) {
  {
    Memory memory;
    const Opened opened = open_or_fail(&memory);
    EXPECT_EQ(opened.recovery.log_sequence, 1U);
    Entry entry = message("heartbeat");
    entry.conversation = opened.journal->log_conversation();
    entry.conversation_sequence = 1;
    ASSERT_TRUE(memory.wait_for(*opened.journal->append(std::move(entry))));
    opened.journal->close();
  }
  EXPECT_EQ(open_or_fail().recovery.log_sequence, 2U);
}

TEST_F(RecoveryTest, names_that_could_leave_the_folder_are_refused) {
  for (const char* name : {"", "../x", "Gw", "-gw", "a/b", "a_b"}) {
    Options bad = options();
    bad.node = name;
    const auto opened = open(bad);
    ASSERT_FALSE(opened) << name;
    EXPECT_EQ(opened.error().code, std::errc::invalid_argument);
  }
}

// Outages.

TEST_F(RecoveryTest, noted_outages_come_back_until_they_are_forgotten) {
  OutageReserve reserve(disk_, kState, "hq", "gw-1");
  const Outage outage{kNow, 7, "No space left on device"};
  ASSERT_FALSE(reserve.note(outage));
  disk_.set_capacity(0);
  ASSERT_FALSE(reserve.note(outage)) << "the reserve needs no new octet of the disk";
  disk_.set_capacity(UINT64_MAX);
  ASSERT_EQ(open_or_fail().recovery.outages.size(), 2U);
  const auto outages = open_or_fail().recovery.outages;
  EXPECT_EQ(outages[0].time, outage.time);
  EXPECT_EQ(outages[0].durable_size, 7U);
  EXPECT_EQ(outages[0].what, outage.what);
  ASSERT_FALSE(forget_outages(disk_, kState, "hq", "gw-1"));
  EXPECT_TRUE(open_or_fail().recovery.outages.empty());
}

TEST_F(RecoveryTest, the_reserve_never_grows) {
  OutageReserve reserve(disk_, kState, "hq", "gw-1");
  for (std::uint64_t i = 0; i < OutageReserve::kSlots + 5; ++i)
    ASSERT_FALSE(reserve.note({kNow, i, std::string(1000, 'x')}));
  const auto outages = reserve.load();
  ASSERT_TRUE(outages);
  EXPECT_EQ(outages->size(), OutageReserve::kSlots);
  EXPECT_EQ(outages->back().durable_size, OutageReserve::kSlots + 4);
}

// State.

TEST_F(RecoveryTest, a_position_whose_writing_was_cut_leaves_the_one_before) {
  StateFile file(disk_, kState, "hq", "gw-1");
  State state = **file.load();
  ++state.durable.size;
  ASSERT_FALSE(file.save(state));
  State newer = state;
  ++newer.durable.size;
  ASSERT_FALSE(file.save(newer));
  const std::string path = kState + "/hq_gw-1.position";
  const Buffer octets = disk_.contents(path);
  int newest = 0, before = 0;
  for (std::size_t at = 0; at < octets.size(); ++at) {
    Buffer changed = octets;
    changed[at] = static_cast<char>(changed[at] ^ 0x40);
    disk_.set_contents(path, changed);
    const auto loaded = StateFile(disk_, kState, "hq", "gw-1").load();
    ASSERT_TRUE(loaded && *loaded) << at;
    EXPECT_TRUE(**loaded == state || **loaded == newer) << at;
    ++(**loaded == newer ? newest : before);
  }
  EXPECT_EQ(newest, 1024);
  EXPECT_EQ(before, 1024);
}

}  // namespace
}  // namespace chancery::journal
