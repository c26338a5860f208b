#include "archive/indexer.h"

#include <fstream>
#include <gtest/gtest.h>
#include <mutex>
#include <thread>

#include "archive/reindex.h"
#include "archive/search.h"
#include "archive/testing/live_log.h"

namespace chancery::archive {
namespace {

namespace fs = std::filesystem;
using namespace testing;

using Indices = std::vector<std::uint64_t>;

Indices found(const Paths& paths, std::string text) {
  Query query;
  query.text = std::move(text);
  Indices indices;
  const auto answer = search(paths.index, origins_of(list_logs(paths.archive)), query);
  for (const auto& hit : answer->hits) indices.push_back(hit.index);
  return indices;
}

IndexerOptions options_for(const Paths& paths) {
  IndexerOptions options;
  options.index = paths.index;
  options.archive = paths.archive;
  options.keys = paths.keys;
  options.on_problem = [](const std::string& what) { ADD_FAILURE() << what; };
  return options;
}

// Passes on to an indexer that is made later, as the journal needs its observer first.
struct Relay final : journal::Observer {
  void on_durable(std::span<const journal::Durable> group) override {
    if (lose > 0 && group.front().index >= lose_from) {
      --lose;
      return;
    }
    if (indexer) indexer->on_durable(group);
  }
  void on_failed(std::error_code, std::uint64_t) override {}
  std::unique_ptr<Indexer> indexer;
  int lose = 0;
  std::uint64_t lose_from = 0;
};

TEST(Indexer, WhatIsJournaledIsFoundRecordsAboutTheLogIncluded) {
  Relay relay;
  LiveLog log{&relay};
  relay.indexer = std::make_unique<Indexer>(options_for(log.paths()));
  relay.indexer->start(log.origin(), log.durable_size());
  const auto first = log.say("2026-05-03T10:00:00Z", "hello world");
  const auto second = log.say("2026-05-03T10:00:01Z", "goodbye world");
  log.close();
  relay.indexer->stop();
  EXPECT_EQ(found(log.paths(), "world"), (Indices{second, first}));
  EXPECT_EQ(found(log.paths(), "\"about the log\""), Indices{0});
  const IndexerStatus status = relay.indexer->status();
  EXPECT_EQ(status.complete_to, second + 1);
  EXPECT_EQ(status.durable, status.complete_to);
  EXPECT_FALSE(status.failed);
}

TEST(Indexer, WhatItNeverHeardOfIsReadBackFromTheJournal) {
  Relay relay;
  LiveLog log{&relay};
  log.say("2026-05-03T10:00:00Z", "before it began");
  log.close();
  log.open();
  relay.indexer = std::make_unique<Indexer>(options_for(log.paths()));
  relay.lose = 1;
  relay.lose_from = log.durable_size();
  relay.indexer->start(log.origin(), log.durable_size());
  log.say("2026-05-03T10:00:01Z", "lost on the way");
  log.close();
  log.open();
  log.say("2026-05-03T10:00:02Z", "heard");
  log.close();
  relay.indexer->stop();
  EXPECT_EQ(found(log.paths(), "before OR lost OR heard").size(), 3U);
}

TEST(Indexer, GoesOnWhereTheIndexWas) {
  Relay relay;
  LiveLog log{&relay};
  for (int run = 0; run < 3; ++run) {
    if (run > 0) log.open();
    relay.indexer = std::make_unique<Indexer>(options_for(log.paths()));
    relay.indexer->start(log.origin(), log.durable_size());
    log.say("2026-05-03T10:00:00Z", "word");
    log.close();
    relay.indexer->stop();
    EXPECT_EQ(found(log.paths(), "word").size(), static_cast<std::size_t>(run + 1));
    EXPECT_EQ(relay.indexer->status().rebuilt, 0U);
  }
}

TEST(Indexer, AnIndexOfAnotherHistoryIsThrownAwayAndMadeAgain) {
  LiveLog log;
  log.say("2026-05-03T10:00:00Z", "truth");
  {
    LogIndexWriter writer{log.paths().index, log.origin()};
    for (std::uint64_t i = 0; i < 3; ++i)
      writer.add(message("2026-05-03T10:00:00Z", "a@b", "c@d", "rumour"), leaf_of(i));
    writer.commit();
  }
  log.close();
  Indexer indexer{options_for(log.paths())};
  log.open();
  indexer.start(log.origin(), log.durable_size());
  log.close();
  indexer.stop();
  EXPECT_EQ(indexer.status().rebuilt, 1U);
  EXPECT_EQ(found(log.paths(), "rumour"), Indices{});
  EXPECT_EQ(found(log.paths(), "truth").size(), 1U);
}

TEST(Indexer, ASpoiledIndexIsMadeAgain) {
  LiveLog log;
  log.say("2026-05-03T10:00:00Z", "word");
  log.close();
  const fs::path folder = log_index_folder(log.paths().index, log.origin());
  fs::create_directories(folder);
  std::ofstream(folder / "2026-05.db") << std::string(10000, 'x');
  log.open();
  Indexer indexer{options_for(log.paths())};
  indexer.start(log.origin(), log.durable_size());
  log.close();
  indexer.stop();
  EXPECT_EQ(indexer.status().rebuilt, 1U);
  EXPECT_EQ(found(log.paths(), "word").size(), 1U);
}

TEST(Indexer, APlaceItCannotWriteIsSaidOnceAndNothingElseSuffers) {
  LiveLog log;
  log.say("2026-05-03T10:00:00Z", "word");
  std::ofstream(log.paths().index) << "a file where the folder should be";
  std::mutex mutex;
  std::vector<std::string> problems;
  IndexerOptions options = options_for(log.paths());
  options.on_problem = [&](const std::string& what) {
    const std::lock_guard guard(mutex);
    problems.push_back(what);
  };
  Indexer indexer{options};
  indexer.start(log.origin(), log.durable_size());
  log.close();
  indexer.stop();
  EXPECT_EQ(problems.size(), 1U);
  EXPECT_TRUE(indexer.status().failed);
}

TEST(Indexer, ALogThatNeverStopsGrowingIsIndexedAllTheSame) {
  Relay relay;
  LiveLog log{&relay};
  IndexerOptions options = options_for(log.paths());
  options.hold = std::chrono::milliseconds{50};
  relay.indexer = std::make_unique<Indexer>(std::move(options));
  relay.indexer->start(log.origin(), log.durable_size());
  for (int said = 0; relay.indexer->status().complete_to < 50; ++said) {
    const auto index = log.say("2026-05-03T10:00:00Z", fmt::format("word{}", said));
    while (log.durable_size() <= index) std::this_thread::yield();
  }
  EXPECT_EQ(found(log.paths(), "word0").size(), 1U);
  log.close();
  relay.indexer->stop();
}

TEST(CatchUp, MakesTheSameIndexAsTheRunningIndexer) {
  LiveLog log;
  for (int i = 0; i < 20; ++i) log.say("2026-05-03T10:00:00Z", fmt::format("word{}", i));
  log.close();
  LogIndexWriter writer{log.paths().index, log.origin()};
  auto reader = open_reader(log.log(), &log.keys());
  ASSERT_TRUE(reader) << reader.error();
  const auto done = catch_up(writer, log.log(), *reader, [](std::uint64_t) { return true; });
  ASSERT_TRUE(done) << done.error();
  EXPECT_GT(done->records, 20U);
  EXPECT_EQ(done->unreadable, 0U);
  EXPECT_EQ(found(log.paths(), "word19").size(), 1U);
  EXPECT_TRUE(belongs_to(writer, *reader));
}

TEST(CatchUp, WithoutTheKeyItSaysSo) {
  LiveLog log;
  log.say("2026-05-03T10:00:00Z", "word");
  log.close();
  LogIndexWriter writer{log.paths().index, log.origin()};
  auto reader = open_reader(log.log(), nullptr);
  ASSERT_TRUE(reader);
  const auto done = catch_up(writer, log.log(), *reader, [](std::uint64_t) { return true; });
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().find("key"), std::string::npos) << done.error();
}

TEST(Logs, TheNewestEpochIsAtRestOnlyWithoutItsWriter) {
  LiveLog log;
  EXPECT_FALSE(log.log().at_rest);
  EXPECT_EQ(log.log().origin, log.origin());
  log.close();
  EXPECT_TRUE(log.log().at_rest);
  fs::create_directories(log.paths().archive / "logs/hq/gw-1/not-an-epoch");
  EXPECT_EQ(list_logs(log.paths().archive).size(), 1U);
  EXPECT_TRUE(list_logs(log.paths().archive / "nowhere").empty());
}

}  // namespace
}  // namespace chancery::archive
