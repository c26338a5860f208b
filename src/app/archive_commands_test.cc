// search, export, archive and keys over a real archive.
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <sstream>

#include "app/commands.h"
#include "archive/log_index.h"
#include "archive/testing/live_log.h"

namespace chancery::app {
namespace {

namespace fs = std::filesystem;
using archive::testing::Folder;
using archive::testing::LiveLog;
using ::testing::HasSubstr;
using ::testing::Not;

struct Outcome {
  int exit;
  std::string out, err;
};

Outcome run_with(std::vector<std::string> arguments) {
  std::vector<const char*> argv{"chancery"};
  for (const auto& argument : arguments) argv.push_back(argument.c_str());
  std::ostringstream out, err;
  const int exit = run(static_cast<int>(argv.size()), argv.data(), out, err);
  return {exit, out.str(), err.str()};
}

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class ArchiveCommands : public ::testing::Test {
 protected:
  ArchiveCommands() {
    log_.say("2026-05-03T10:00:00Z", "The budget is tight");
    log_.say("2026-05-03T10:00:01Z", "Lunch at noon?\x1b[2J");
    log_.close();
  }
  std::string archive() const { return log_.paths().archive.string(); }
  void reindex() { EXPECT_EQ(run_with({"archive", "reindex", "-d", archive()}).exit, 0); }

  LiveLog log_;
  Folder folder_;
};

TEST_F(ArchiveCommands, SearchFindsWhatReindexIndexed) {
  const Outcome before = run_with({"search", "-d", archive(), "budget"});
  EXPECT_EQ(before.exit, 0);
  EXPECT_THAT(before.err, HasSubstr("not indexed"));
  reindex();
  const Outcome after = run_with({"search", "-d", archive(), "budget"});
  EXPECT_EQ(after.exit, 0);
  EXPECT_THAT(after.out, HasSubstr("The budget is tight"));
  EXPECT_THAT(after.out, HasSubstr("alice@im.test → bob@im.test"));
  EXPECT_THAT(after.out, Not(HasSubstr("Lunch")));
  EXPECT_THAT(after.err, HasSubstr("complete up to record 3"));
}

TEST_F(ArchiveCommands, SearchTakesFiltersAndNoQuery) {
  reindex();
  EXPECT_THAT(run_with({"search", "-d", archive(), "--from", "alice", "--kind", "message"}).out, HasSubstr("Lunch"));
  EXPECT_THAT(run_with({"search", "-d", archive(), "--from", "carol"}).out, HasSubstr("Nothing was found"));
  EXPECT_THAT(run_with({"search", "-d", archive(), "--kind", "message", "--limit", "1"}).out,
              HasSubstr("There is more"));
  EXPECT_THAT(run_with({"search", "-d", archive(), "lunch", "--until", "2026-05-03T10:00:01Z"}).out,
              HasSubstr("Nothing was found"));
}

TEST_F(ArchiveCommands, SearchShowsNoControlCharactersOfOthers) {
  reindex();
  EXPECT_THAT(run_with({"search", "-d", archive(), "lunch"}).out, Not(HasSubstr("\x1b")));
}

TEST_F(ArchiveCommands, SearchSaysWhatIsWrongWithAQueryOrATime) {
  const Outcome query = run_with({"search", "-d", archive(), "\"open"});
  EXPECT_EQ(query.exit, 2);
  EXPECT_THAT(query.err, HasSubstr("never closed"));
  const Outcome time = run_with({"search", "-d", archive(), "--since", "yesterday"});
  EXPECT_EQ(time.exit, 2);
  EXPECT_THAT(time.err, HasSubstr("--since"));
  EXPECT_EQ(run_with({"search", "-d", archive(), "--limit", "0"}).exit, 2);
}

TEST_F(ArchiveCommands, SearchInJsonHoldsTheRecordAndItsCoverage) {
  reindex();
  const Outcome outcome = run_with({"search", "-d", archive(), "--json", "budget"});
  EXPECT_THAT(outcome.out, HasSubstr(R"("text":"The budget is tight")"));
  EXPECT_THAT(outcome.out, HasSubstr(R"("snippet":"The budget is tight")"));
  EXPECT_THAT(outcome.out, HasSubstr(R"("complete_to":4)"));
}

TEST_F(ArchiveCommands, ExportGoesToStandardOutputOrToAWholeFile) {
  const Outcome outcome = run_with({"export", "-d", archive()});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("The budget is tight"));
  const fs::path file = folder_.path() / "out.jsonl";
  EXPECT_EQ(run_with({"export", "-d", archive(), "--format", "jsonl", "-o", file.string()}).exit, 0);
  EXPECT_EQ(contents(file), outcome.out);
  EXPECT_FALSE(fs::exists(file.string() + ".part"));
}

TEST_F(ArchiveCommands, ExportWithoutKeysLeavesNoFile) {
  const fs::path file = folder_.path() / "out.jsonl";
  const Outcome outcome =
      run_with({"export", "-d", archive(), "--keys", (folder_.path() / "none").string(), "-o", file.string()});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_THAT(outcome.err, HasSubstr("no key store"));
  EXPECT_FALSE(fs::exists(file));
  EXPECT_FALSE(fs::exists(file.string() + ".part"));
}

TEST_F(ArchiveCommands, ExportToAPlaceThatCannotBeWrittenSaysSo) {
  const Outcome outcome = run_with({"export", "-d", archive(), "-o", (folder_.path() / "no/such/file").string()});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_THAT(outcome.err, HasSubstr("cannot be written"));
}

TEST_F(ArchiveCommands, StatusCountsRecordsPublishedAndIndexed) {
  reindex();
  const Outcome outcome = run_with({"archive", "status", "-d", archive(), "--json"});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr(R"("records":4,"published":0,"being_written":false,"indexed":4)"));
  log_.open();
  EXPECT_THAT(run_with({"archive", "status", "-d", archive()}).out, HasSubstr("being written"));
}

TEST_F(ArchiveCommands, StatusExitsOneWhenTheIndexIsDamaged) {
  reindex();
  for (const auto& entry : fs::recursive_directory_iterator(log_.paths().index))
    if (entry.path().extension() == ".db") std::ofstream(entry.path(), std::ios::trunc) << "spoiled";
  const Outcome outcome = run_with({"archive", "status", "-d", archive()});
  EXPECT_EQ(outcome.exit, 1);
  EXPECT_THAT(outcome.out, HasSubstr("reindex"));
  reindex();
  EXPECT_EQ(run_with({"archive", "status", "-d", archive(), "--check-index"}).exit, 0);
}

TEST_F(ArchiveCommands, ReindexLeavesOutWhatARunningGatewayIndexes) {
  const archive::LogIndexWriter gateway{log_.paths().index, log_.origin()};
  const Outcome outcome = run_with({"archive", "reindex", "-d", archive()});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_THAT(outcome.err, HasSubstr("gateway is running"));
}

TEST_F(ArchiveCommands, ReindexMissingAddsOnlyWhatIsNew) {
  reindex();
  EXPECT_THAT(run_with({"archive", "reindex", "--missing", "-d", archive(), "--json"}).out, HasSubstr("\"records\":0"));
}

TEST_F(ArchiveCommands, BackupCopiesAndNamesItsManifest) {
  const fs::path target = folder_.path() / "copy";
  const Outcome outcome = run_with({"archive", "backup", "-d", archive(), "-o", target.string()});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_TRUE(fs::exists(target / "backup.json"));
  EXPECT_THAT(outcome.out, HasSubstr("SHA-256 of backup.json"));
  EXPECT_THAT(outcome.out, HasSubstr("key store is not in it"));
  EXPECT_EQ(run_with({"archive", "backup", "-d", archive(), "-o", target.string()}).exit, 2) << "not empty";
  EXPECT_EQ(run_with({"export", "-d", target.string(), "--keys", log_.paths().keys.string()}).out,
            run_with({"export", "-d", archive()}).out);
}

TEST_F(ArchiveCommands, KeysAreMadeShownRotatedAndRetired) {
  const std::string keys = (folder_.path() / "keys").string();
  EXPECT_EQ(run_with({"keys", "create", "--keys", keys}).exit, 0);
  EXPECT_EQ(run_with({"keys", "create", "--keys", keys}).exit, 2);
  const std::string before = run_with({"keys", "show", "--keys", keys}).out;
  EXPECT_THAT(before, HasSubstr("master"));
  const std::string id = before.substr(8, 32);
  EXPECT_EQ(run_with({"keys", "retire", "--keys", keys, id}).exit, 2) << "it is in use";
  EXPECT_EQ(run_with({"keys", "rotate", "--keys", keys}).exit, 0);
  EXPECT_EQ(run_with({"keys", "retire", "--keys", keys, id}).exit, 0);
  EXPECT_THAT(run_with({"keys", "show", "--keys", keys, "--json"}).out, Not(HasSubstr(id)));
  EXPECT_EQ(run_with({"keys", "retire", "--keys", keys, "xyz"}).exit, 2);
  EXPECT_EQ(run_with({"keys", "show"}).exit, 2);
}

TEST_F(ArchiveCommands, ARotatedKeyStoreStillOpensTheArchive) {
  const std::string before = run_with({"export", "-d", archive()}).out;
  EXPECT_EQ(run_with({"keys", "rotate", "-d", archive()}).exit, 0);
  EXPECT_EQ(run_with({"export", "-d", archive()}).out, before);
}

}  // namespace
}  // namespace chancery::app
