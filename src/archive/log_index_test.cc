#include "archive/log_index.h"

#include <fstream>
#include <gtest/gtest.h>

#include "archive/search.h"
#include "archive/testing/records.h"

namespace chancery::archive {
namespace {

namespace fs = std::filesystem;
using namespace testing;

std::vector<std::uint64_t> found(const fs::path& index, std::string text) {
  Query query;
  query.text = std::move(text);
  std::vector<std::uint64_t> indices;
  const auto answer = search(index, {kLog}, query);
  for (const auto& hit : answer->hits) indices.push_back(hit.index);
  return indices;
}

using Indices = std::vector<std::uint64_t>;

void add(LogIndexWriter& writer, std::string_view time, std::string text) {
  writer.add(message(time, "alice@im.test", "bob@im.test", std::move(text)), leaf_of(writer.complete_to()));
}

TEST(LogIndex, BeginsAtZeroAndGoesOnWhereItWas) {
  const Folder folder;
  {
    LogIndexWriter writer{folder.path(), kLog};
    EXPECT_EQ(writer.complete_to(), 0U);
    EXPECT_EQ(writer.last_leaf(), std::nullopt);
    add(writer, "2026-05-01", "one");
    add(writer, "2026-05-02", "two");
    writer.commit();
  }
  LogIndexWriter writer{folder.path(), kLog};
  EXPECT_EQ(writer.complete_to(), 2U);
  EXPECT_EQ(writer.last_leaf(), leaf_of(1));
  EXPECT_EQ(found(folder.path(), "two"), Indices{1});
}

TEST(LogIndex, WhatWasNotCommittedIsNotThereAfterwards) {
  const Folder folder;
  {
    LogIndexWriter writer{folder.path(), kLog};
    add(writer, "2026-05-01", "one");
    writer.commit();
    add(writer, "2026-05-01", "two");
    EXPECT_EQ(writer.complete_to(), 2U);
    EXPECT_EQ(found(folder.path(), "two"), Indices{});
  }
  LogIndexWriter writer{folder.path(), kLog};
  EXPECT_EQ(writer.complete_to(), 1U);
}

TEST(LogIndex, EachMonthIsAFileAndTheyGoOnFromEachOther) {
  const Folder folder;
  LogIndexWriter writer{folder.path(), kLog};
  add(writer, "2026-04-30T23:59:59Z", "april");
  add(writer, "2026-05-01T00:00:00Z", "may");
  writer.skip(at("2026-07-01"), leaf_of(2));
  writer.commit();
  const auto files = month_files(log_index_folder(folder.path(), kLog));
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0].filename(), "2026-04.db");
  EXPECT_EQ(files[2].filename(), "2026-07.db");
  EXPECT_EQ(found(folder.path(), "april OR may"), (Indices{1, 0}));
  EXPECT_EQ(coverage(folder.path(), {kLog}, true)[0].complete_to, 3U);
}

TEST(LogIndex, AClockThatStepsBackStaysInTheNewestFile) {
  const Folder folder;
  LogIndexWriter writer{folder.path(), kLog};
  add(writer, "2026-05-01", "may");
  add(writer, "2026-04-01", "stepped back");
  writer.commit();
  EXPECT_EQ(month_files(log_index_folder(folder.path(), kLog)).size(), 1U);
  EXPECT_EQ(found(folder.path(), "stepped"), Indices{1});
}

TEST(LogIndex, HasOneWriter) {
  const Folder folder;
  const LogIndexWriter writer{folder.path(), kLog};
  EXPECT_THROW(LogIndexWriter(folder.path(), kLog), LogIndexWriter::Busy);
}

TEST(LogIndex, ADamagedNewestFileIsRemovedAndItsRecordsComeAgain) {
  for (const bool truncated : {false, true}) {
    const Folder folder;
    {
      LogIndexWriter writer{folder.path(), kLog};
      add(writer, "2026-04-01", "april");
      add(writer, "2026-05-01", "may");
      writer.commit();
    }
    const fs::path newest = month_files(log_index_folder(folder.path(), kLog)).back();
    if (truncated)
      fs::resize_file(newest, 5000);
    else
      std::ofstream(newest) << "this is no database, whatever its name says; it is just some text of some length";
    LogIndexWriter writer{folder.path(), kLog};
    EXPECT_EQ(writer.damaged_files(), 1);
    EXPECT_EQ(writer.complete_to(), 1U);
  }
}

TEST(LogIndex, AFileOfAnotherLogIsNotTaken) {
  const Folder folder;
  {
    LogIndexWriter writer{folder.path(), kLog};
    add(writer, "2026-05-01", "may");
    writer.commit();
  }
  fs::create_directories(folder.path() / "site/node");
  fs::rename(folder.path() / kLog, folder.path() / "site/node/00000002-00000000");
  LogIndexWriter writer{folder.path(), "site/node/00000002-00000000"};
  EXPECT_EQ(writer.complete_to(), 0U);
  EXPECT_EQ(writer.damaged_files(), 1);
}

TEST(LogIndex, ClearThrowsAllAway) {
  const Folder folder;
  LogIndexWriter writer{folder.path(), kLog};
  add(writer, "2026-05-01", "may");
  writer.commit();
  writer.clear();
  EXPECT_EQ(writer.complete_to(), 0U);
  EXPECT_EQ(found(folder.path(), "may"), Indices{});
}

TEST(LogIndex, IsReadableByItsOwnerOnly) {
  const Folder folder;
  const fs::path index = folder.path() / "a.index";
  const LogIndexWriter writer{index, kLog};
  EXPECT_EQ(fs::status(index).permissions(), fs::perms::owner_all);
}

}  // namespace
}  // namespace chancery::archive
