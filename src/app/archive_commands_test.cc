// search, export, archive and keys over a real archive.
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <sstream>

#include "app/commands.h"
#include "archive/log_index.h"
#include "archive/seal/signer_service.h"
#include "archive/testing/live_log.h"
#include "archive/testing/publish.h"
#include "core/encoding.h"

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

  // Signs a checkpoint over all that is journaled.
  void publish() {
    log_.open();
    archive::testing::publish(log_, signer());
    log_.close();
  }
  seal::HeadSigner& signer() {
    if (!signer_) {
      auto key = merkle::PrivateKey::from_seed(std::string(32, 'k'));
      public_key_ = to_hex(merkle::bytes_of_key(key->public_key()));
      signer_ = std::make_unique<seal::SignerService>(*seal::SignerService::open(
          seal::SignerCore{*std::move(key), ""}, journal::posix_disk(), (folder_.path() / "signer").string(),
          [] { return archive::testing::at("2026-05-03T10:00:30Z"); }));
    }
    return *signer_;
  }
  fs::path log_folder() const { return log_.paths().archive / "logs" / log_.origin(); }
  std::string tolerance() const { return "172800"; }  // LiveLog's records are of one day, the signer's clock stands

  LiveLog log_;
  Folder folder_;
  std::unique_ptr<seal::SignerService> signer_;
  std::string public_key_;
};

TEST_F(ArchiveCommands, SearchFindsWhatReindexIndexed) {
  const Outcome before = run_with({"search", "-d", archive(), "budget"});
  EXPECT_EQ(before.exit, 2) << "an answer that may miss something is not a success";
  EXPECT_THAT(before.err, HasSubstr("not indexed"));
  EXPECT_THAT(before.err, HasSubstr("not complete"));
  EXPECT_THAT(run_with({"search", "-d", archive(), "budget", "--json"}).out, HasSubstr(R"("complete":false)"));
  reindex();
  const Outcome after = run_with({"search", "-d", archive(), "budget"});
  EXPECT_EQ(after.exit, 0);
  EXPECT_THAT(after.out, HasSubstr("The budget is tight"));
  EXPECT_THAT(after.out, HasSubstr("alice@im.test → bob@im.test"));
  EXPECT_THAT(after.out, Not(HasSubstr("Lunch")));
  EXPECT_THAT(after.err, HasSubstr("complete up to record 3"));
}

TEST_F(ArchiveCommands, SearchTakesSeveralWordsWithoutQuotationMarks) {
  reindex();
  EXPECT_THAT(run_with({"search", "-d", archive(), "budget", "tight"}).out, HasSubstr("The budget is tight"));
  EXPECT_THAT(run_with({"search", "--from", "alice", "-d", archive(), "--from", "carol", "tight"}).out,
              HasSubstr("The budget is tight"))
      << "an option takes one value and leaves the query alone";
  const Outcome nothing = run_with({"search", "-d", archive(), "budget", "lunch"});
  EXPECT_EQ(nothing.exit, 0);
  EXPECT_THAT(nothing.out, HasSubstr("Nothing was found: no message holds all of these words. Put OR between them"));
  EXPECT_EQ(run_with({"search", "-d", archive(), "absent"}).out, "Nothing was found.\n");
}

TEST_F(ArchiveCommands, SearchExitsTwoWhenTheIndexDoesNotCoverWhatIsPublished) {
  reindex();
  log_.open();
  log_.say("2026-05-03T10:00:02Z", "a later budget");
  log_.close();
  publish();
  const Outcome behind = run_with({"search", "-d", archive(), "budget", "--json"});
  EXPECT_EQ(behind.exit, 2);
  EXPECT_THAT(behind.out, HasSubstr(R"("complete":false)"));
  EXPECT_THAT(run_with({"search", "-d", archive(), "budget"}).err, HasSubstr("are not indexed yet"));
  reindex();
  const Outcome whole = run_with({"search", "-d", archive(), "budget", "--json"});
  EXPECT_EQ(whole.exit, 0);
  EXPECT_THAT(whole.out, HasSubstr(R"("complete":true)"));
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
  publish();
  const Outcome text = run_with({"archive", "status", "-d", archive()});
  EXPECT_EQ(text.exit, 0) << text.out;
  EXPECT_THAT(text.out, HasSubstr("published  4, at 2026-05-03 10:00:30 UTC"));
  EXPECT_THAT(text.out, HasSubstr("journaled  4 records in 1 segment"));
  EXPECT_THAT(text.out, HasSubstr("sealed     4"));
  EXPECT_THAT(text.out, HasSubstr("witnessed  0"));
  log_.open();
  EXPECT_THAT(run_with({"archive", "status", "-d", archive()}).out, HasSubstr("being written"));
}

TEST_F(ArchiveCommands, StatusSaysWhenALogIsShorterThanItsCheckpoint) {
  publish();
  const fs::path segment = log_folder() / "segments/00000000.seg";
  fs::resize_file(segment, fs::file_size(segment) - 300);
  const Outcome cut = run_with({"archive", "status", "-d", archive()});
  EXPECT_EQ(cut.exit, 1);
  EXPECT_THAT(cut.out, HasSubstr("shorter than its last checkpoint: it holds"));
  EXPECT_THAT(cut.out, HasSubstr("`chancery verify`"));
  const Outcome json = run_with({"archive", "status", "-d", archive(), "--json", "--quick"});
  EXPECT_EQ(json.exit, 1);
  EXPECT_THAT(json.out, HasSubstr(R"("ok":false)"));
  EXPECT_THAT(json.out, HasSubstr(R"("problem":"the log is shorter)"));
}

TEST_F(ArchiveCommands, StatusSaysWhenAnUnpublishedEndWasCutOff) {
  const fs::path segment = log_folder() / "segments/00000000.seg";
  fs::resize_file(segment, fs::file_size(segment) - 300);
  const Outcome cut = run_with({"archive", "status", "-d", archive()});
  EXPECT_EQ(cut.exit, 1);
  EXPECT_THAT(cut.out, HasSubstr("were durable when this machine wrote it last"));
}

TEST_F(ArchiveCommands, StatusSaysWhenALogOrItsCheckpointCannotBeRead) {
  publish();
  const auto spoil = [&](const fs::path& file, std::streamoff at) {
    const std::string before = contents(file);
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(at);
    out.put(static_cast<char>(before[static_cast<std::size_t>(at)] ^ 1));
    out.close();
    const Outcome outcome = run_with({"archive", "status", "-d", archive()});
    EXPECT_EQ(outcome.exit, 1) << file << outcome.out;
    EXPECT_THAT(outcome.out, HasSubstr("PROBLEM"));
    std::ofstream(file, std::ios::binary) << before;
  };
  spoil(log_folder() / "segments/00000000.seg", 20);
  spoil(log_folder() / "segments/00000000.seg", 500);
  spoil(log_folder() / "checkpoint", 0);
  const fs::path segments = log_folder() / "segments";
  fs::rename(segments, folder_.path() / "elsewhere");
  EXPECT_EQ(run_with({"archive", "status", "-d", archive()}).exit, 1);
  fs::rename(folder_.path() / "elsewhere", segments);
  EXPECT_EQ(run_with({"archive", "status", "-d", archive()}).exit, 0);
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
  EXPECT_THAT(outcome.out, HasSubstr("Read back and checked: "));
  EXPECT_THAT(outcome.out, HasSubstr("key store is not in it"));
  EXPECT_EQ(run_with({"archive", "backup", "-d", archive(), "-o", target.string()}).exit, 2) << "not empty";
  EXPECT_EQ(run_with({"export", "-d", target.string(), "--keys", log_.paths().keys.string()}).out,
            run_with({"export", "-d", archive()}).out);
}

TEST_F(ArchiveCommands, BackupOfADamagedArchiveIsNoBackup) {
  publish();
  std::fstream segment(log_folder() / "segments/00000000.seg", std::ios::in | std::ios::out | std::ios::binary);
  segment.seekp(500);
  segment.put('!');
  segment.close();
  const fs::path target = folder_.path() / "copy";
  const Outcome outcome = run_with({"archive", "backup", "-d", archive(), "-o", target.string()});
  EXPECT_EQ(outcome.exit, 1) << outcome.out;
  EXPECT_THAT(outcome.err, HasSubstr("not sound"));
  EXPECT_THAT(outcome.err, HasSubstr(log_.origin() + "#"));
  EXPECT_FALSE(fs::exists(target / "backup.json"));
}

TEST_F(ArchiveCommands, VerifyTakesNoAnchorFromTheArchiveItself) {
  publish();
  const auto verify = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"verify", archive(), "--tolerance", tolerance()});
    return run_with(more);
  };
  EXPECT_EQ(verify({"--key", (folder_.path() / "none").string()}).exit, 2);
  EXPECT_EQ(verify({"--key", public_key_}).exit, 0) << verify({"--key", public_key_}).out;
  const Outcome own = verify({"--key", (log_folder() / "log.vkey").string()});
  EXPECT_EQ(own.exit, 2);
  EXPECT_THAT(own.out, HasSubstr("lies in the archive itself and is no anchor"));
  fs::create_symlink(log_folder() / "log.vkey", folder_.path() / "link");
  EXPECT_EQ(verify({"--key", (folder_.path() / "link").string()}).exit, 2);
  EXPECT_EQ(verify({"--since", (log_folder() / "checkpoint").string()}).exit, 2);
  EXPECT_EQ(verify({"--key", (log_folder() / "log.vkey").string(), "--key", public_key_}).exit, 0);
  fs::copy(log_folder() / "log.vkey", folder_.path() / "kept");
  EXPECT_EQ(verify({"--key", (folder_.path() / "kept").string()}).exit, 0) << "a copy kept elsewhere is one";
}

TEST_F(ArchiveCommands, VerifySaysWhenThereIsNoSuchFile) {
  EXPECT_THAT(run_with({"verify", archive(), "--key", "nofile"}).err, HasSubstr("there is no file nofile"));
  EXPECT_THAT(run_with({"verify", archive(), "--since", "nofile"}).err, HasSubstr("there is no file nofile"));
  EXPECT_THAT(run_with({"verify", archive(), "--witness", "nofile"}).err, HasSubstr("there is no file nofile"));
  EXPECT_THAT(run_with({"verify", "nofolder"}).err, HasSubstr("there is no file or folder nofolder"));
  EXPECT_THAT(run_with({"keys", "show", "-d", "nowhere"}).err, HasSubstr("there is no folder nowhere"));
}

TEST_F(ArchiveCommands, ABundleIsToldForWhatItShows) {
  publish();
  const std::string bundle = (folder_.path() / "bundle").string();
  EXPECT_EQ(run_with({"prove", "-d", archive(), "2", "-o", bundle}).exit, 0);
  const Outcome text = run_with({"verify", bundle, "--key", public_key_, "--tolerance", tolerance()});
  EXPECT_EQ(text.exit, 0) << text.out;
  EXPECT_THAT(text.out, HasSubstr("record " + log_.origin() + "#2\n"));
  EXPECT_THAT(text.out, HasSubstr("alice@im.test"));
  EXPECT_THAT(text.out, HasSubstr("bob@im.test"));
  EXPECT_THAT(text.out, HasSubstr("The budget is tight"));
  EXPECT_THAT(text.out, HasSubstr("the checkpoint over 4 records"));
  EXPECT_THAT(text.out, HasSubstr("(given by you: valid)"));
  EXPECT_THAT(text.out, HasSubstr("no witness"));
  EXPECT_THAT(text.out, HasSubstr("All holds: this one record, as shown,"));
  EXPECT_THAT(text.out, Not(HasSubstr("every published record")));
  const Outcome alone = run_with({"verify", bundle, "--json", "--tolerance", tolerance()});
  EXPECT_EQ(alone.exit, 2);
  EXPECT_THAT(alone.out, HasSubstr(R"("text":"The budget is tight")"));
  EXPECT_THAT(alone.out, HasSubstr("CANNOT TELL: the bundle fits together"));
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
