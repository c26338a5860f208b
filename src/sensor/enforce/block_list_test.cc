#include "sensor/enforce/block_list.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "sensor/enforce/testing.h"

namespace chancery::sensor {
namespace {

namespace fs = std::filesystem;
using testing::at;
using testing::seen;

class BlockListTest : public ::testing::Test {
 protected:
  BlockListTest() {
    std::string name = (fs::temp_directory_path() / "blocks-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~BlockListTest() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(BlockListTest, KeepsTrafficAndEntriesOverARestart) {
  {
    BlockList list = BlockList::open(folder_, false);
    list.remember(
        std::vector{seen({.flows = 2}), seen({.flows = 3}), seen({.client = "2001:db8::5", .server = "2001:db8::7"})});
    EXPECT_EQ(list.add(propose(list.traffic(), {}, at(5'000)).entries), 2U);
  }
  BlockList list = BlockList::open(folder_, true);
  ASSERT_EQ(list.traffic().size(), 2U);
  const auto entries = list.entries();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].target.text(), "198.51.100.7");
  EXPECT_EQ(entries[0].flows, 5U);
  EXPECT_EQ(entries[0].proposed_at, at(5'000));
  EXPECT_EQ(entries[0].clients, std::vector<std::string>{"10.0.0.5"});
  EXPECT_EQ(entries[1].target.text(), "2001:db8::7");
}

TEST_F(BlockListTest, WhatWasDecidedStaysDecided) {
  BlockList list = BlockList::open(folder_, false);
  const auto proposals = propose(std::vector{seen({})}, {}, at(5'000)).entries;
  list.add(proposals);
  list.decide(1, BlockState::rejected, "ada", at(5'100), std::nullopt);
  EXPECT_EQ(list.add(propose(std::vector{seen({.flows = 9})}, {}, at(6'000)).entries), 0U);
  const auto entry = list.find(1);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->state, BlockState::rejected);
  EXPECT_EQ(entry->decided_by, "ada");
  EXPECT_EQ(entry->flows, 9U);
}

TEST_F(BlockListTest, LifeOfAnEntry) {
  BlockList list = BlockList::open(folder_, false);
  list.add(propose(std::vector{seen({})}, {}, at(5'000)).entries);
  EXPECT_THROW(list.decide(7, BlockState::approved, "ada", at(1), std::nullopt), BlockListError);
  EXPECT_THROW(list.decide(1, BlockState::revoked, "ada", at(1), std::nullopt), BlockListError);
  EXPECT_TRUE(list.decide(1, BlockState::approved, "ada", at(5'100), at(6'000)).in_force(at(5'999)));
  EXPECT_TRUE(list.expire(at(5'999)).empty());
  ASSERT_EQ(list.expire(at(6'000)).size(), 1U);
  EXPECT_EQ(list.find(1)->state, BlockState::expired);
  EXPECT_TRUE(list.decide(1, BlockState::approved, "bea", at(7'000), std::nullopt).in_force(at(999'999)));
  EXPECT_FALSE(list.decide(1, BlockState::revoked, "bea", at(7'100), std::nullopt).in_force(at(7'200)));
}

TEST_F(BlockListTest, TrafficSince) {
  BlockList list = BlockList::open(folder_, false);
  list.remember(std::vector{seen({})});
  EXPECT_EQ(list.traffic(at(2'000)).size(), 1U);
  EXPECT_TRUE(list.traffic(at(2'001)).empty());
}

TEST_F(BlockListTest, SaysWhatIsWrong) {
  try {
    BlockList::open(folder_ / "none", true);
    FAIL();
  } catch (const BlockListError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("no block list is here"));
  }
  FILE* file = std::fopen((folder_ / "blocks.db").c_str(), "w");
  std::fputs("this is no database, however long one looks at it, for it never was one", file);
  std::fclose(file);
  EXPECT_THROW(BlockList::open(folder_, true), BlockListError);
}

}  // namespace
}  // namespace chancery::sensor
