#include "gateway/memory.h"

#include <fstream>
#include <gtest/gtest.h>
#include <random>

#include "gateway/memory_keeper.h"
#include "gateway/testing/bed.h"

namespace chancery::gateway::testing {
namespace {

struct MemoryTest : Bed {
  // What a restart would know after all that is in the journal now.
  Memory recalled(Legs& legs) {
    Memory found;
    Recall recall(found, legs);
    std::uint64_t index = 0;
    for (const journal::Entry& entry : journal().entries()) {
      Leaf leaf;
      leaf.time = entry.time;
      leaf.conversation = entry.conversation;
      leaf.conversation_sequence = entry.conversation_sequence;
      const Bytes payload = entry.payload;
      recall.record(index++, leaf, &payload);
    }
    return found;
  }
};

TEST_F(MemoryTest, TheLogTellsSequencesNoticesLegsAndWhoWasCutOff) {
  policy = std::make_shared<CodePolicy>("r1", "You are recorded.");
  up();
  Peer client = connect();
  Peer upstream = server.accept();
  client.send("LOGIN alice\nMSG bob one\nMSG bob two\nMSG bob forbidden\n");
  upstream.read_until("two\n");
  ASSERT_TRUE(until_records(Kind::message, 3));
  ASSERT_TRUE(until_records(Kind::notice_shown, 1));

  Legs legs(1000);
  const Memory found = recalled(legs);
  EXPECT_EQ(found.size, journal().entries().size());
  EXPECT_TRUE(found.notices.contains("signon:alice"));
  EXPECT_EQ(legs.size(), 3U);  // the refused one is known to copies
  ASSERT_EQ(found.unfinished.size(), 1U);
  const auto& [connection, left] = *found.unfinished.begin();
  EXPECT_EQ(left.counters, (Counters{.read = 4, .refused = 1, .unknown_after_crash = 3}));
  const ConversationId talk = journal().records(Kind::message).front().conversation;
  EXPECT_EQ(found.sequences.at(talk), 3U);
}

TEST_F(MemoryTest, ANewProcessGoesOnWhereTheOldOneWasCutOff) {
  policy = std::make_shared<CodePolicy>("r1", "You are recorded.");
  up();
  Peer client = connect();
  Peer upstream = server.accept();
  client.send("LOGIN alice\nMSG bob one\n");
  upstream.read_until("one\n");
  ASSERT_TRUE(until_records(Kind::notice_shown, 1));
  Legs legs(1000);
  memory = recalled(legs);
  const ConversationId talk = journal().records(Kind::message).front().conversation;
  const auto own = journal().records(Kind::notice_shown).front();
  down();

  up();  // another process: nothing but `memory` is left
  ASSERT_TRUE(until_records(Kind::stream_close, 1));
  const Record closed = journal().records(Kind::stream_close).front();
  EXPECT_EQ(closed.connection, own.connection);
  EXPECT_EQ(closed.conversation_sequence, own.conversation_sequence + 1);
  EXPECT_EQ(closed.counters->unknown_after_crash, 2U);
  Peer again = connect();
  Peer again_upstream = server.accept();
  again.send("LOGIN alice\nMSG bob two\n");
  again_upstream.read_until("two\n");
  const Record next = journal().records(Kind::message).front();
  EXPECT_EQ(next.conversation, talk);
  EXPECT_EQ(next.conversation_sequence, 1U);
  again_upstream.send("ready\n");
  EXPECT_EQ(again.read_until("\n"), "ready\n");  // the notice is not shown again
}

TEST_F(MemoryTest, AClosedConnectionLeavesNothingBehind) {
  up();
  {
    Peer client = connect();
    Peer upstream = server.accept();
    client.send("LOGIN alice\n");
    upstream.read_until("\n");
  }
  ASSERT_TRUE(until_records(Kind::stream_close, 1));
  Legs legs(10);
  const Memory found = recalled(legs);
  EXPECT_TRUE(found.unfinished.empty());
  EXPECT_TRUE(found.sequences.empty());
}

TEST_F(MemoryTest, AHeartbeatCarriesTheDay) {
  config.heartbeat_seconds = std::chrono::seconds(1);
  up();
  Peer client = connect();
  Peer upstream = server.accept();
  client.send("LOGIN alice\nMSG bob one\n");
  upstream.read_until("one\n");
  ASSERT_TRUE(until([&] {
    const auto beats = journal().records(Kind::heartbeat);
    return !beats.empty() && beats.back().counters && beats.back().counters->read == 2;
  }));
  Legs legs(10);
  EXPECT_EQ(recalled(legs).today.forwarded, 2U);
}

struct SnapshotTest : ::testing::Test {
  net::testing::TemporaryFolder folder;
  std::filesystem::path file = folder.path() / "gateway.memory";
  Memory memory;
  void SetUp() override {
    memory.size = 77;
    memory.day = from_unix_ns(1'700'000'000'000'000'000);
    memory.today = {.read = 5, .forwarded = 3, .refused = 2};
    for (std::uint8_t i = 0; i < 20; ++i) {
      ConversationId id;
      id.octets.fill(i);
      memory.sequences[id] = i * 3U;
      memory.notices["notice " + std::to_string(i)] = from_unix_ns(i);
    }
    Memory::Unfinished open{"xmpp", "im.test", "alice@im.test", {}, 4, {.read = 3, .refused = 1}};
    open.session.octets.fill(9);
    memory.unfinished[ConnectionId{{1, 2, 3}}] = open;
    ASSERT_FALSE(save_memory(file, "a/b/c", memory));
  }
  static void expect_equal(const Memory& found, const Memory& wanted) {
    EXPECT_EQ(found.size, wanted.size);
    EXPECT_EQ(found.day, wanted.day);
    EXPECT_EQ(found.today, wanted.today);
    EXPECT_EQ(found.sequences, wanted.sequences);
    EXPECT_EQ(found.notices, wanted.notices);
    EXPECT_EQ(found.unfinished, wanted.unfinished);
  }
};

TEST_F(SnapshotTest, WhatIsSavedIsLoaded) {
  const auto loaded = load_memory(file, "a/b/c");
  ASSERT_TRUE(loaded);
  expect_equal(*loaded, memory);
}

TEST_F(SnapshotTest, OneThatWasBeingWrittenChangesNothing) {
  std::ifstream in(file, std::ios::binary);
  const Buffer whole(std::istreambuf_iterator<char>(in), {});
  for (const std::size_t size : {std::size_t{0}, whole.size() / 2, whole.size()}) {
    std::ofstream(file.string() + ".new", std::ios::binary | std::ios::trunc) << whole.substr(0, size);
    const auto loaded = load_memory(file, "a/b/c");
    ASSERT_TRUE(loaded);
    expect_equal(*loaded, memory);
  }
  memory.size = 78;
  ASSERT_FALSE(save_memory(file, "a/b/c", memory));
  EXPECT_EQ(load_memory(file, "a/b/c")->size, 78U);
}

// A log in which everything happens that Recall knows of, and segments begin.
struct Told {
  Leaf leaf;
  std::optional<Record> record;
};
std::vector<Told> told_log(std::mt19937& random) {
  std::vector<Told> log;
  std::map<ConversationId, std::uint64_t> next;
  for (int i = 0; i < 400; ++i) {
    Told& told = log.emplace_back();
    if (i % 60 == 7) {
      told.leaf.type = LeafType::segment_opened;
      continue;
    }
    Record record;
    record.time = from_unix_ns(1'700'000'000'000'000'000 + i * 700'000'000'000LL);
    record.connection.octets.fill(static_cast<std::uint8_t>(random() % 7 + 1));
    record.account = random() % 2 == 0 ? "alice@im.test" : "";
    static constexpr Kind kKinds[] = {Kind::stream_open,  Kind::stream_close, Kind::heartbeat,
                                      Kind::notice_shown, Kind::message,      Kind::message};
    record.event.kind = kKinds[random() % std::size(kKinds)];
    record.event.id = "id " + std::to_string(random() % 20);
    record.decision.verdict = random() % 3 == 0 ? Verdict::refuse : Verdict::forward;
    if (record.event.kind == Kind::heartbeat) record.counters = Counters{.read = random() % 100};
    if (random() % 2 == 0)
      record.conversation.octets = record.connection.octets;
    else
      record.conversation.octets.fill(static_cast<std::uint8_t>(random() % 9 + 20));
    record.conversation_sequence = next[record.conversation]++;
    told.leaf.time = record.time;
    told.leaf.conversation = record.conversation;
    told.leaf.conversation_sequence = record.conversation_sequence;
    if (random() % 20 != 0) told.record = std::move(record);
  }
  return log;
}

TEST_F(SnapshotTest, AfterACrashAtAnyRecordTheSnapshotAndTheRestTellWhatTheWholeLogTells) {
  std::mt19937 random(std::random_device{}());
  const auto log = told_log(random);
  const auto tell = [&](std::uint64_t from, std::uint64_t to, auto&& whom) {
    for (std::uint64_t i = from; i < to; ++i) whom(i, log[i].leaf, log[i].record ? &*log[i].record : nullptr);
  };
  for (std::uint64_t crash = 0; crash <= log.size(); ++crash) {
    std::filesystem::remove(file);
    MemoryKeeper keeper(file, "a/b/c", {}, [](std::error_code error) { FAIL() << error.message(); });
    tell(0, crash, [&](auto... told) { keeper.record(told...); });
    tell(0, crash / 2, [&](auto... told) { keeper.record(told...); });  // again: an index that is made anew
    Memory whole;
    Recall all(whole);
    tell(0, crash, [&](auto... told) { all.decoded(told...); });
    expect_equal(keeper.memory(), whole);
    Memory found = load_memory(file, "a/b/c").value_or(Memory{});
    EXPECT_LE(crash - found.size, 67U) << "no more than a segment is read back";
    Recall rest(found);
    tell(found.size, crash, [&](auto... told) { rest.decoded(told...); });
    expect_equal(found, whole);
    if (HasFailure()) FAIL() << "crash after " << crash;
  }
}

TEST_F(SnapshotTest, OneThatCannotBeWrittenIsSaidOnce) {
  int problems = 0;
  MemoryKeeper keeper(folder.path() / "missing" / "gateway.memory", "a/b/c", {}, [&](std::error_code error) {
    ++problems;
    EXPECT_EQ(error, std::errc::no_such_file_or_directory);
  });
  Leaf opened;
  opened.type = LeafType::segment_opened;
  for (std::uint64_t i = 0; i < 5; ++i) keeper.record(i, opened, nullptr);
  EXPECT_EQ(problems, 1);
  EXPECT_EQ(keeper.memory().size, 5U);
}

TEST_F(SnapshotTest, AnotherLogsSnapshotIsNotUsed) { EXPECT_FALSE(load_memory(file, "a/b/d")); }

TEST_F(SnapshotTest, EveryCutAndEveryChangedOctetIsNoticed) {
  std::ifstream in(file, std::ios::binary);
  const Buffer whole(std::istreambuf_iterator<char>(in), {});
  const auto loads = [&](const Buffer& octets) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << octets;
    return load_memory(file, "a/b/c").has_value();
  };
  ASSERT_TRUE(loads(whole));
  for (std::size_t size = 0; size < whole.size(); size += 7) EXPECT_FALSE(loads(whole.substr(0, size))) << size;
  for (std::size_t at = 0; at < whole.size(); at += 5) {
    Buffer changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    EXPECT_FALSE(loads(changed)) << at;
  }
}

}  // namespace
}  // namespace chancery::gateway::testing
