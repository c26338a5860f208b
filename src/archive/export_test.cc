#include "archive/export.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "archive/testing/live_log.h"

namespace chancery::archive {
namespace {

using namespace testing;

std::expected<ExportCounts, std::string> exported(const LiveLog& log, journal::KeyStore& keys, std::string& out) {
  return export_jsonl(
      list_logs(log.paths().archive), keys,
      [&](std::string_view text) {
        out += text;
        return true;
      },
      [](std::uint64_t) {});
}

std::size_t lines_of(const std::string& text) { return static_cast<std::size_t>(std::ranges::count(text, '\n')); }

TEST(Export, GivesEachRecordAsItsJsonView) {
  LiveLog log;
  const Record said = message("2026-05-03T10:00:00Z", "alice@im.test", "bob@im.test", "hello");
  const auto index = log.append(said);
  log.close();
  std::string out;
  const auto counts = exported(log, log.keys(), out);
  ASSERT_TRUE(counts) << counts.error();
  EXPECT_NE(out.find(to_json(said, log.origin(), index).at(0) + "\n"), std::string::npos) << out;
  EXPECT_EQ(counts->lines, lines_of(out));
  EXPECT_EQ(counts->unreadable, 0U);
}

TEST(Export, TheSameArchiveGivesTheSameOctets) {
  LiveLog log;
  for (int i = 0; i < 300; ++i) log.say("2026-05-03T10:00:00Z", fmt::format("number {}", i));
  log.close();
  std::string first, second;
  ASSERT_TRUE(exported(log, log.keys(), first));
  ASSERT_TRUE(exported(log, log.keys(), second));
  EXPECT_EQ(first, second);
  EXPECT_EQ(lines_of(first), 301U) << "and the record that opens the log";
}

TEST(Export, DeliveriesAreALineEach) {
  LiveLog log;
  Record record;
  record.time = at("2026-05-03T10:00:00Z");
  record.conversation.octets[0] = 9;
  record.event.kind = Kind::delivery;
  record.deliveries = {{0, "a@b", {}, record.time, false}, {0, "c@d", {}, record.time, false}};
  log.append(record);
  log.close();
  std::string out;
  ASSERT_TRUE(exported(log, log.keys(), out));
  EXPECT_EQ(lines_of(out), 3U);
}

TEST(Export, APayloadThatIsNoRecordIsSaidToBeUnreadable) {
  LiveLog log;
  log.append_raw("this is no CBOR of a record");
  log.close();
  std::string out;
  const auto counts = exported(log, log.keys(), out);
  ASSERT_TRUE(counts) << counts.error();
  EXPECT_EQ(counts->unreadable, 1U);
  EXPECT_NE(out.find("\"kind\":\"unreadable\""), std::string::npos);
}

TEST(Export, WithAnotherKeyStoreItSaysWhichRecordCannotBeRead) {
  LiveLog log;
  log.say("2026-05-03T10:00:00Z", "secret");
  log.close();
  const Folder other;
  const std::string folder = (other.path() / "keys").string();
  ASSERT_FALSE(journal::KeyStore::create(journal::posix_disk(), folder));
  auto keys = journal::KeyStore::open(journal::posix_disk(), folder);
  ASSERT_TRUE(keys);
  std::string out;
  const auto counts = exported(log, *keys, out);
  ASSERT_FALSE(counts);
  EXPECT_NE(counts.error().find("#0"), std::string::npos) << counts.error();
}

TEST(Export, AnOutputThatCannotBeWrittenEndsIt) {
  LiveLog log;
  log.close();
  const auto counts = export_jsonl(
      list_logs(log.paths().archive), log.keys(), [](std::string_view) { return false; }, [](std::uint64_t) {});
  ASSERT_FALSE(counts);
}

}  // namespace
}  // namespace chancery::archive
