// What must survive: the n-th operation fails, for every n and kind; the power goes, at every point, leaving any subset
// of what was not synced. After each: the log opens, everything that was reported durable is there unchanged, and what
// the new writer calls durable survives the next power loss too.
#include <gtest/gtest.h>
#include <random>

#include "journal/format.h"
#include "journal/journal_fixture.h"

namespace chancery::journal {
namespace {

using Records = std::map<std::uint64_t, Buffer>;

constexpr std::uint64_t kSmallSegment = 1500;  // octets: a few records, so that segments change often

std::string text_of(std::uint64_t i) { return "message " + std::to_string(i) + std::string(i * 37 % 400, 'x'); }

Options small_options(Disk& disk, KeyStore& keys, Observer* observer) {
  Options options = options_on(disk, keys, observer);
  options.segment_size_max = kSmallSegment;
  options.threads = 1;
  return options;
}

// Appends bursts of 1 to 5 records, waiting for each, and closes. What was reported is in `memory`, whatever failed.
void write_some(MemoryDisk& disk, Memory& memory, std::uint64_t records) {
  auto keys = KeyStore::open(disk, kKeys);
  if (!keys) return;
  const auto opened = open(small_options(disk, *keys, &memory));
  if (!opened) return;
  for (std::uint64_t i = 0, last = 0; i < records;) {
    for (std::uint64_t burst = 0; burst <= i % 5 && i < records; ++burst, ++i) {
      const auto index = opened->journal->append(message(text_of(i)));
      if (!index) return;
      last = *index;
    }
    if (!memory.wait_for(last)) return;
  }
  opened->journal->close();
}

std::unique_ptr<MemoryDisk> disk_with_keys() {
  auto disk = std::make_unique<MemoryDisk>();
  EXPECT_FALSE(KeyStore::create(*disk, kKeys));
  return disk;
}

void expect_contains(const Records& all, const Records& some) {
  for (const auto& [index, payload] : some) {
    const auto found = all.find(index);
    ASSERT_TRUE(found != all.end()) << "record " << index << " was reported durable and is gone";
    ASSERT_EQ(found->second, payload) << "record " << index;
  }
}

Records contents(MemoryDisk& disk, const std::string& origin, KeyStore& keys) {
  Records records;
  for (const ReadRecord& record : read_all(disk, log_folder(kArchive, origin), &keys))
    records[record.index] = record.payload;
  return records;
}

// Opens what is left and checks it; returns what is now durable. `after` is then the disk as the new writer left it,
// killed.
Records expect_recovers(MemoryDisk& disk, const Records& reported) {
  auto keys = KeyStore::open(disk, kKeys);
  EXPECT_TRUE(keys) << keys.error().message();
  Memory memory;
  const auto opened = open(small_options(disk, *keys, &memory));
  EXPECT_TRUE(opened) << opened.error().detail;
  if (!opened) return {};
  EXPECT_TRUE(reported.empty() || !opened->recovery.new_epoch) << "a new epoch although nothing was lost";
  const Records all = contents(disk, opened->journal->origin(), *keys);
  EXPECT_EQ(all.size(), opened->journal->durable_size());
  expect_contains(all, reported);
  return all;
}

// The log opens and is whole; so is it after another power loss right after that.
void expect_survives(MemoryDisk& disk, const Records& reported, std::mt19937_64& random) {
  const Records durable = expect_recovers(disk, reported);
  const auto again = disk.after_power_loss([&] { return (random() & 1) != 0; });
  Records own = durable;
  own.insert(reported.begin(), reported.end());
  expect_recovers(*again, own);
}

TEST(Loss, after_a_power_cut_at_any_point_all_that_was_reported_is_there) {
  constexpr int kDraws = 3;
  for (std::uint64_t cut = 0;; ++cut) {
    const auto disk = disk_with_keys();
    disk->cut_power_after(cut);
    Memory memory;
    write_some(*disk, memory, 24);
    const bool is_whole = memory.records().size() >= 24 && disk->changes() < cut;
    for (int draw = 0; draw < kDraws; ++draw) {
      const std::uint64_t seed = cut * kDraws + static_cast<std::uint64_t>(draw);
      SCOPED_TRACE("cut after " + std::to_string(cut) + " operations, seed " + std::to_string(seed));
      std::mt19937_64 random(seed);
      const auto left = disk->after_power_loss([&] { return (random() & 1) != 0; });
      expect_survives(*left, memory.records(), random);
      if (testing::Test::HasFailure()) return;
    }
    if (is_whole) break;
    ASSERT_LT(cut, 2000U);
  }
}

// Every subset, for a log small enough to try them all.
TEST(Loss, every_subset_of_unsynced_sectors_and_names_is_survived) {
  std::size_t subsets = 0;
  for (std::uint64_t cut = 0;; ++cut) {
    const auto disk = disk_with_keys();
    disk->cut_power_after(cut);
    Memory memory;
    write_some(*disk, memory, 4);
    const bool is_whole = disk->changes() < cut;
    std::size_t coins = 0;
    disk->after_power_loss([&] { return ++coins != 0; });
    // The outage reserve's 64 sectors are written at once, before anything refers to them: a sample will do there.
    constexpr std::size_t kCoinsMax = 10;
    std::mt19937_64 sample(cut);
    const std::uint64_t count = coins <= kCoinsMax ? std::uint64_t{1} << coins : 64;
    for (std::uint64_t i = 0; i < count; ++i, ++subsets) {
      const std::uint64_t subset = coins <= kCoinsMax ? i : sample();
      SCOPED_TRACE("cut after " + std::to_string(cut) + " operations, subset " + std::to_string(subset));
      std::uint64_t bits = subset;
      const auto left = disk->after_power_loss([&] { return (std::exchange(bits, bits >> 1) & 1) != 0; });
      std::mt19937_64 random(subset);
      expect_survives(*left, memory.records(), random);
      if (testing::Test::HasFailure()) return;
    }
    if (is_whole) break;
  }
  EXPECT_GT(subsets, 100U);
}

// The power goes again while the log is being recovered from the first time.
TEST(Loss, a_power_cut_during_recovery_loses_nothing_either) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    const auto coin = [&] { return (random() & 1) != 0; };
    auto disk = disk_with_keys();
    Records reported;
    for (int life = 0; life < 4; ++life) {
      disk->cut_power_after(random() % 60);
      Memory memory;
      write_some(*disk, memory, 12);
      for (auto& [index, payload] : memory.records()) reported[index] = payload;
      disk = disk->after_power_loss(coin);
    }
    expect_survives(*disk, reported, random);
    if (testing::Test::HasFailure()) return;
  }
}

struct Kind {
  MemoryDisk::Op op;
  std::errc error;
  bool always;
};

class FaultSweep : public testing::TestWithParam<Kind> {};

TEST_P(FaultSweep, when_the_nth_operation_fails_nothing_reported_is_missing) {
  const auto [op, error, always] = GetParam();
  for (std::uint64_t nth = 1;; ++nth) {
    SCOPED_TRACE("operation " + std::to_string(nth));
    const auto disk = disk_with_keys();
    const std::uint64_t before = disk->count(op);
    disk->fail(op, nth, error, always);
    Memory memory;
    write_some(*disk, memory, 24);
    const bool was_reached = disk->count(op) >= before + nth;
    EXPECT_LE(memory.failures(), 1);
    EXPECT_FALSE(memory.out_of_order());
    if (memory.failures() > 0 && !memory.records().empty()) {
      EXPECT_EQ(memory.records().rbegin()->first + 1, memory.durable_at_failure());
    }
    std::mt19937_64 random(nth);
    const auto killed = disk->after_kill();
    const auto lost = disk->after_power_loss([&] { return (random() & 1) != 0; });
    expect_survives(*killed, memory.records(), random);
    expect_survives(*lost, memory.records(), random);
    if (testing::Test::HasFailure()) return;
    if (!was_reached) break;
    ASSERT_LT(nth, 1000U);
  }
}

std::string name_of(const testing::TestParamInfo<Kind>& kind) {
  constexpr std::array<std::string_view, MemoryDisk::kOps> kNames = {
      "open", "write", "sync", "rename", "sync_directory", "truncate", "remove", "make_directory"};
  return std::string(kNames[static_cast<std::size_t>(kind.param.op)]) + (kind.param.always ? "_and_all_after" : "");
}

INSTANTIATE_TEST_SUITE_P(Operations, FaultSweep,
                         testing::Values(Kind{MemoryDisk::Op::write, std::errc::no_space_on_device, false},
                                         Kind{MemoryDisk::Op::write, std::errc::no_space_on_device, true},
                                         Kind{MemoryDisk::Op::sync, std::errc::io_error, false},
                                         Kind{MemoryDisk::Op::sync, std::errc::io_error, true},
                                         Kind{MemoryDisk::Op::rename, std::errc::io_error, false},
                                         Kind{MemoryDisk::Op::open, std::errc::too_many_files_open, false},
                                         Kind{MemoryDisk::Op::open, std::errc::permission_denied, true},
                                         Kind{MemoryDisk::Op::sync_directory, std::errc::io_error, false},
                                         Kind{MemoryDisk::Op::make_directory, std::errc::read_only_file_system, false}),
                         name_of);

TEST(Loss, a_full_disk_stops_the_writer_and_what_was_reported_stays) {
  for (std::uint64_t capacity = 80000; capacity < 90000; capacity += 331) {
    SCOPED_TRACE("capacity " + std::to_string(capacity));
    const auto disk = disk_with_keys();
    disk->set_capacity(capacity);
    Memory memory;
    write_some(*disk, memory, 200);
    ASSERT_EQ(memory.failures(), 1);
    EXPECT_EQ(memory.why(), std::errc::no_space_on_device);
    disk->set_capacity(UINT64_MAX);
    const auto after = disk->after_kill();
    auto keys = KeyStore::open(*after, kKeys);
    const auto opened = open(small_options(*after, *keys, nullptr));
    ASSERT_TRUE(opened) << opened.error().detail;
    // The reserve took the outage although nothing else fitted.
    ASSERT_EQ(opened->recovery.outages.size(), 1U);
    EXPECT_EQ(opened->recovery.outages[0].durable_size, memory.durable_at_failure());
    EXPECT_FALSE(opened->recovery.outages[0].what.empty());
    expect_contains(contents(*after, opened->journal->origin(), *keys), memory.records());
  }
}

}  // namespace
}  // namespace chancery::journal
