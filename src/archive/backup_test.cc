#include "archive/backup.h"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "archive/copy.h"
#include "archive/export.h"
#include "archive/seal/signer_service.h"
#include "archive/testing/live_log.h"
#include "archive/testing/publish.h"
#include "merkle/hash.h"

namespace chancery::archive {
namespace {

namespace fs = std::filesystem;
using namespace testing;

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class BackupTest : public ::testing::Test {
 protected:
  BackupTest() {
    auto key = merkle::PrivateKey::from_seed(std::string(32, 'k'));
    signer_ = std::make_unique<seal::SignerService>(
        *seal::SignerService::open(seal::SignerCore{*std::move(key), ""}, journal::posix_disk(),
                                   (folder_.path() / "signer").string(), [] { return at("2026-05-03T11:00:00Z"); }));
  }

  void say(int count) {
    for (int i = 0; i < count; ++i) log_.say("2026-05-03T10:00:00Z", fmt::format("number {}", i));
    log_.close();
    log_.open();
  }
  std::expected<Backup, std::string> copy_to(const fs::path& target) {
    return back_up(log_.paths().archive, target, at("2026-05-03T12:00:00Z"), [](std::uint64_t) {});
  }
  // Every record that the copy holds and the log's keys open.
  std::string text_of(const fs::path& archive) {
    std::string out;
    const auto counts = export_jsonl(
        list_logs(archive), log_.keys(),
        [&](std::string_view text) {
          out += text;
          return true;
        },
        [](std::uint64_t) {});
    EXPECT_TRUE(counts) << counts.error();
    return out;
  }

  Folder folder_;
  LiveLog log_;
  std::unique_ptr<seal::SignerService> signer_;
};

TEST_F(BackupTest, ACopyOfALiveLogHoldsAllThatIsPublishedAndItsProofs) {
  say(300);
  publish(log_, *signer_);
  const auto published = log_.durable_size();
  const std::string then = text_of(log_.paths().archive);
  say(50);
  const fs::path target = folder_.path() / "copy";
  const auto backup = copy_to(target);
  ASSERT_TRUE(backup) << backup.error();
  ASSERT_EQ(backup->logs.size(), 1U);
  EXPECT_EQ(backup->logs[0].published, published);
  EXPECT_TRUE(text_of(target).starts_with(then));
  const fs::path at_source = log_.paths().archive / "logs" / log_.origin(), at_copy = target / "logs" / log_.origin();
  for (const auto* name : {"checkpoint", "checkpoints", "tile/0/000", "tile/1/000.p/1"})
    EXPECT_EQ(contents(at_copy / name), contents(at_source / name)) << name;
}

TEST_F(BackupTest, WhatIsPublishedMeanwhileDoesNotGetIn) {
  say(10);
  publish(log_, *signer_);
  const std::string history = contents(log_.paths().archive / "logs" / log_.origin() / "checkpoints");
  const std::string first = contents(log_.paths().archive / "logs" / log_.origin() / "checkpoint");
  const std::string tile =
      contents(log_.paths().archive / "logs" / log_.origin() / fmt::format("tile/0/000.p/{}", log_.durable_size()));
  say(10);
  publish(log_, *signer_);
  // As if the checkpoint had been read before the second one was published.
  std::ofstream(log_.paths().archive / "logs" / log_.origin() / "checkpoint", std::ios::trunc) << first;
  const fs::path target = folder_.path() / "copy";
  const auto backup = copy_to(target);
  ASSERT_TRUE(backup) << backup.error();
  EXPECT_EQ(contents(target / "logs" / log_.origin() / "checkpoints"), history);
  EXPECT_EQ(contents(target / "logs" / log_.origin() / fmt::format("tile/0/000.p/{}", backup->logs[0].published)),
            tile);
}

TEST_F(BackupTest, TheManifestListsEveryFileWithItsDigestAndEndsInItsOwn) {
  say(3);
  publish(log_, *signer_);
  const fs::path target = folder_.path() / "copy";
  const auto backup = copy_to(target);
  ASSERT_TRUE(backup) << backup.error();
  const std::string text = contents(target / "backup.json");
  std::uint64_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(target)) {
    if (!entry.is_regular_file() || entry.path().filename() == "backup.json") continue;
    ++files;
    const std::string octets = contents(entry.path());
    EXPECT_NE(
        text.find(fmt::format(R"({{"path":"{}","size":{},"sha256":"{}"}})", fs::relative(entry.path(), target).string(),
                              octets.size(), to_hex(bytes_of(merkle::sha256(octets))))),
        std::string::npos)
        << entry.path();
  }
  EXPECT_EQ(files, backup->files);
  EXPECT_EQ(backup->manifest_sha256, to_hex(bytes_of(merkle::sha256(text))));
  const auto last = text.rfind(",\"sha256\":\"");
  EXPECT_EQ(text.substr(last), ",\"sha256\":\"" + to_hex(bytes_of(merkle::sha256(text.substr(0, last)))) + "\"}\n");
}

TEST_F(BackupTest, ALogAtRestIsCopiedWholeAlsoWithoutACheckpoint) {
  say(5);
  log_.close();
  const fs::path target = folder_.path() / "copy";
  const auto backup = copy_to(target);
  ASSERT_TRUE(backup) << backup.error();
  EXPECT_EQ(backup->logs[0].published, 0U);
  EXPECT_EQ(text_of(target), text_of(log_.paths().archive));
}

TEST_F(BackupTest, ATargetThatIsNotEmptyOrLiesInTheArchiveIsRefused) {
  say(1);
  std::ofstream(folder_.path() / "something") << "x";
  const auto full = copy_to(folder_.path());
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().find("not empty"), std::string::npos);
  const auto inside = copy_to(log_.paths().archive / "copy");
  ASSERT_FALSE(inside);
  EXPECT_NE(inside.error().find("outside"), std::string::npos);
  EXPECT_FALSE(fs::exists(log_.paths().archive / "copy"));
}

TEST_F(BackupTest, AMissingFileLeavesNoManifest) {
  say(3);
  publish(log_, *signer_);
  fs::remove(log_.paths().archive / "logs" / log_.origin() / "checkpoints");
  const fs::path target = folder_.path() / "copy";
  const auto backup = copy_to(target);
  ASSERT_FALSE(backup);
  EXPECT_FALSE(fs::exists(target / "backup.json"));
}

TEST_F(BackupTest, ARestoredCopyBeginsANewEpoch) {
  say(3);
  publish(log_, *signer_);
  const fs::path target = folder_.path() / "copy";
  ASSERT_TRUE(copy_to(target));
  log_.close();
  const std::string before = log_.origin();
  fs::rename(log_.paths().archive, folder_.path() / "lost");
  fs::rename(target, log_.paths().archive);
  log_.open();
  EXPECT_NE(log_.origin(), before);
  EXPECT_EQ(list_logs(log_.paths().archive).size(), 2U);
}

TEST(DurableCopier, AFileThatIsMissingOrTooShortIsNotCopied) {
  const Folder from, to;
  std::ofstream(from.path() / "five") << "12345";
  DurableCopier copier{from.path(), to.path() / "target", [](std::uint64_t) {}};
  EXPECT_FALSE(copier.copy("none", "none", 0));
  EXPECT_FALSE(copier.copy("five", "five", 6));
  EXPECT_TRUE(copier.copy("five", "a/b/three", 3));
  EXPECT_EQ(contents(to.path() / "target/a/b/three"), "123");
  EXPECT_THROW(copier.copy("five", "a/b/three", 3), std::system_error) << "nothing is overwritten";
  EXPECT_EQ(copier.octets(), 3U);
  copier.finish();
}

}  // namespace
}  // namespace chancery::archive
