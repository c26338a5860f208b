// A backup is an archive like any other: it verifies by itself, and anchors what the original became.
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "archive/backup.h"
#include "archive/seal/signer_service.h"
#include "archive/testing/live_log.h"
#include "archive/testing/publish.h"
#include "archive/verify/archive_check.h"
#include "archive/verify/source.h"

namespace chancery::archive {
namespace {

namespace fs = std::filesystem;
using namespace testing;

class BackupVerify : public ::testing::Test {
 protected:
  BackupVerify() {
    auto key = merkle::PrivateKey::from_seed(std::string(32, 'k'));
    anchors_.keys.push_back(key->public_key());
    anchors_.tolerance = std::chrono::hours{48};  // the records of LiveLog are of one day, the signer's clock stands
    signer_ = std::make_unique<seal::SignerService>(
        *seal::SignerService::open(seal::SignerCore{*std::move(key), ""}, journal::posix_disk(),
                                   (folder_.path() / "signer").string(), [] { return at("2026-05-03T10:00:30Z"); }));
  }

  void say_and_publish(int count) {
    for (int i = 0; i < count; ++i) log_.say("2026-05-03T10:00:00Z", "number");
    log_.close();
    log_.open();
    publish(log_, *signer_);
  }
  fs::path back_up_now() {
    const fs::path target = folder_.path() / "copy";
    const auto backup = back_up(log_.paths().archive, target, at("2026-05-03T12:00:00Z"), [](std::uint64_t) {});
    EXPECT_TRUE(backup) << backup.error();
    return target;
  }
  verify::Report verified(const fs::path& archive) {
    verify::FolderSource source{archive};
    return verify::verify_archive(source, anchors_);
  }

  Folder folder_;
  LiveLog log_;
  std::unique_ptr<seal::SignerService> signer_;
  verify::Anchors anchors_;
};

TEST_F(BackupVerify, ACopyOfALiveArchiveVerifies) {
  say_and_publish(300);
  for (int i = 0; i < 20; ++i) log_.say("2026-05-03T10:00:01Z", "not yet published");
  const auto report = verified(back_up_now());
  EXPECT_EQ(report.exit_code(), 0) << report.text();
}

TEST_F(BackupVerify, TheCopysCheckpointAnchorsWhatTheArchiveBecame) {
  say_and_publish(10);
  const fs::path copy = back_up_now();
  say_and_publish(10);
  log_.close();
  std::ifstream in(copy / "logs" / log_.origin() / "checkpoint", std::ios::binary);
  const std::string note{std::istreambuf_iterator<char>(in), {}};
  auto held = verify::parse_held(note);
  ASSERT_TRUE(held) << held.error();
  anchors_.since.push_back(*std::move(held));
  const auto report = verified(log_.paths().archive);
  EXPECT_EQ(report.exit_code(), 0) << report.text();
  const auto rolled_back = verified(copy);
  EXPECT_EQ(rolled_back.exit_code(), 0) << "the copy still holds all that its own checkpoint covers";
}

TEST_F(BackupVerify, AChangedFileOfACopyIsFound) {
  say_and_publish(10);
  const fs::path copy = back_up_now();
  std::fstream file(copy / "logs" / log_.origin() / "segments/00000000.seg",
                    std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(700);
  file.put('!');
  file.close();
  EXPECT_EQ(verified(copy).exit_code(), 1);
}

TEST_F(BackupVerify, AChangedFileThatNoCheckpointCoversIsFoundByTheList) {
  say_and_publish(3);
  log_.close();
  const fs::path copy = back_up_now();
  const fs::path torn = copy / "logs" / log_.origin() / "segments/00000001.sheet.new";
  std::ofstream(torn) << "an unfinished creation";
  EXPECT_EQ(verified(copy).exit_code(), 0) << "more files may be there: a restored archive is written on";
  fs::remove(copy / "logs" / log_.origin() / "log.vkey");
  const auto report = verified(copy);
  EXPECT_EQ(report.exit_code(), 1);
  EXPECT_NE(report.text().find("it is in the copy's list (backup.json), and is not here"), std::string::npos)
      << report.text();
}

TEST_F(BackupVerify, AnUnpublishedEndThatWasChangedIsFoundByTheList) {
  for (int i = 0; i < 5; ++i) log_.say("2026-05-03T10:00:00Z", "never published");
  log_.close();
  const fs::path copy = back_up_now();
  const fs::path segment = copy / "logs" / log_.origin() / "segments/00000000.seg";
  fs::resize_file(segment, fs::file_size(segment) - 200);
  const auto report = verified(copy);
  EXPECT_EQ(report.exit_code(), 1) << report.text();
  EXPECT_NE(report.text().find("it is not what the copy's list (backup.json) says was copied"), std::string::npos);
}

TEST_F(BackupVerify, AChangedManifestIsFound) {
  say_and_publish(3);
  const fs::path copy = back_up_now();
  std::fstream file(copy / "backup.json", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(40);
  file.put('!');
  file.close();
  EXPECT_EQ(verified(copy).exit_code(), 1);
}

}  // namespace
}  // namespace chancery::archive
