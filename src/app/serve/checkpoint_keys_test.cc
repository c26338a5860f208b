// Taking up a checkpoint key, on a real journal; `verify` says whether an auditor can follow.
#include "app/serve/checkpoint_keys.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "app/context.h"
#include "archive/seal/signer_service.h"
#include "archive/testing/records.h"
#include "archive/verify/archive_check.h"

namespace chancery::app::serve {
namespace {

namespace fs = std::filesystem;
using archive::testing::Folder;

Instant now() { return archive::testing::at("2026-05-03T10:00:00Z"); }
merkle::PrivateKey key_of(char seed) { return *merkle::PrivateKey::from_seed(Buffer(32, seed)); }

Buffer about(const journal::OwnRecord& own, Kind kind) {
  Record record;
  record.time = own.time;
  record.conversation = own.conversation;
  record.conversation_sequence = own.conversation_sequence;
  record.event.kind = kind;
  record.event.scope = Scope::network;
  return encode(record);
}

// One run of a gateway as far as its checkpoints are concerned; `keys`: the seeds of what its signer holds.
class GatewayRun {
 public:
  GatewayRun(const fs::path& folder, const std::string& keys) : folder_(folder) {
    std::vector<merkle::PrivateKey> held;
    for (const char seed : keys) held.push_back(key_of(seed));
    signer_ = std::make_unique<seal::SignerService>(*seal::SignerService::open(
        seal::SignerCore{std::move(held), ""}, journal::posix_disk(), (folder / "signer").string(), now));
    (void)journal::KeyStore::create(journal::posix_disk(), (folder / "keys").string());
    keys_ = std::make_unique<journal::KeyStore>(
        *journal::KeyStore::open(journal::posix_disk(), (folder / "keys").string()));
    journal::Options options;
    options.disk = &journal::posix_disk();
    options.archive = archive().string();
    options.state = (folder / "state").string();
    options.site = "hq";
    options.node = "gw-1";
    options.keys = keys_.get();
    options.observer = &durability_;
    options.now = now();
    options.clock = now;
    options.epoch_record = [](const auto&, const auto& own) { return about(own, Kind::epoch); };
    options.gap_record = [](const auto&, const auto& own) { return about(own, Kind::gap); };
    options.published_size = [](const std::string&) { return std::uint64_t{0}; };
    opened_ = *journal::open(options);
    checkpoint_keys_ = std::make_unique<CheckpointKeys>(log_folder(), opened_.journal->origin(), *signer_, log_);
  }
  ~GatewayRun() { opened_.journal->close(); }

  fs::path archive() const { return folder_ / "archive"; }
  std::string log_folder() const { return journal::log_folder(archive().string(), opened_.journal->origin()); }
  void take_up() { checkpoint_keys_->take_up(*opened_.journal, opened_.recovery, durability_, now()); }
  std::uint64_t size() const { return opened_.journal->next_index(); }
  // Publishes all, in as many checkpoints as there are reasons for; each begins with one more record.
  void publish(int checkpoints) {
    for (int i = 0; i < checkpoints; ++i) {
      const journal::OwnRecord own{size(), now(), opened_.journal->log_conversation(), opened_.recovery.log_sequence++};
      journal::Entry entry;
      entry.time = now();
      entry.conversation = own.conversation;
      entry.conversation_sequence = own.conversation_sequence;
      entry.payload = about(own, Kind::heartbeat);
      const auto index = opened_.journal->append(std::move(entry));
      ASSERT_TRUE(index && durability_.wait(*index + 1));
      seal::SealerOptions options;
      options.disk = &journal::posix_disk();
      options.folder = log_folder();
      options.origin = opened_.journal->origin();
      options.signer = signer_.get();
      options.leaves = seal::journal_leaves(journal::posix_disk(), options.folder);
      options.keys = [this] { return checkpoint_keys_->turns(); };
      options.on_problem = [](const std::string& what) { ADD_FAILURE() << what; };
      seal::Sealer sealer{options};
      sealer.start(*index + 1);
      sealer.stop();
      EXPECT_EQ(sealer.status().published, *index + 1);
    }
  }
  bool newest_is_signed_by(char seed) const {
    std::ifstream in(log_folder() + "/checkpoint", std::ios::binary);
    const std::string note{std::istreambuf_iterator<char>(in), {}};
    return merkle::check(*merkle::parse_note(note),
                         {opened_.journal->origin(), merkle::KeyType::ed25519, key_of(seed).public_key()})
        .is_valid();
  }

 private:
  fs::path folder_;
  net::Log log_{2, net::Log::Form::plain, net::Level::error};
  std::unique_ptr<seal::SignerService> signer_;
  std::unique_ptr<journal::KeyStore> keys_;
  Durability durability_;
  journal::Opened opened_;
  std::unique_ptr<CheckpointKeys> checkpoint_keys_;
};

class CheckpointKeysTest : public ::testing::Test {
 protected:
  int verify_with(char seed) {
    verify::FolderSource source{folder_.path() / "archive"};
    verify::Anchors anchors;
    anchors.keys = {key_of(seed).public_key()};
    const verify::Report report = verify::verify_archive(source, anchors);
    text_ = report.text();
    return report.exit_code();
  }
  Folder folder_;
  std::string text_;
};

TEST_F(CheckpointKeysTest, AnAuditorWithTheFirstKeyFollowsARotation) {
  {
    GatewayRun run{folder_.path(), "k"};
    run.take_up();
    run.publish(1);
    EXPECT_TRUE(run.newest_is_signed_by('k'));
  }
  {
    GatewayRun run{folder_.path(), "kn"};
    run.take_up();
    EXPECT_EQ(verify_with('k'), 0) << text_;
    run.publish(1);
    EXPECT_TRUE(run.newest_is_signed_by('k')) << "the old one vouches for the record that names the new one";
    EXPECT_EQ(verify_with('k'), 0) << text_;
    run.publish(1);
    EXPECT_TRUE(run.newest_is_signed_by('n'));
    EXPECT_EQ(verify_with('k'), 0) << text_;
  }
  {
    GatewayRun run{folder_.path(), "n"};  // the old one is retired
    run.take_up();
    run.publish(2);
    EXPECT_TRUE(run.newest_is_signed_by('n'));
  }
  EXPECT_EQ(verify_with('k'), 0) << text_;
  EXPECT_NE(text_.find("names the signing key"), std::string::npos);
  EXPECT_EQ(verify_with('x'), 1);
}

TEST_F(CheckpointKeysTest, WhateverPointItStopsAtTheKeyIsOnRecordOnceAndTheFileFits) {
  Buffer before;
  {
    GatewayRun run{folder_.path(), "k"};
    run.take_up();
    run.publish(1);
    std::ifstream in(run.log_folder() + "/log.vkey", std::ios::binary);
    before.assign(std::istreambuf_iterator<char>(in), {});
  }
  std::uint64_t size = 0;
  {
    GatewayRun run{folder_.path(), "kn"};
    run.take_up();
    size = run.size();
    // As if it had been killed between the record and the file.
    std::ofstream(run.log_folder() + "/log.vkey", std::ios::binary | std::ios::trunc) << before;
  }
  EXPECT_EQ(verify_with('k'), 0) << text_;
  {
    GatewayRun run{folder_.path(), "kn"};
    run.take_up();
    EXPECT_EQ(run.size(), size) << "no second record";
    EXPECT_EQ(verify_with('k'), 0) << text_;
    run.publish(2);
    EXPECT_TRUE(run.newest_is_signed_by('n'));
  }
  EXPECT_EQ(verify_with('k'), 0) << text_;
}

TEST_F(CheckpointKeysTest, AKeyThatWasNeverAnnouncedIsNotTakenUp) {
  {
    GatewayRun run{folder_.path(), "k"};
    run.take_up();
    run.publish(1);
  }
  GatewayRun run{folder_.path(), "x"};
  EXPECT_THROW(run.take_up(), Failure);
}

// The administrator signs the whole log again with a key of his own.
TEST_F(CheckpointKeysTest, AHistorySignedAgainUnderAnotherKeyIsFound) {
  std::string log_folder;
  {
    GatewayRun run{folder_.path(), "k"};
    run.take_up();
    run.publish(2);
    log_folder = run.log_folder();
  }
  for (const char* file : {"/log.vkey", "/checkpoint", "/checkpoints"}) fs::remove(log_folder + file);
  fs::remove_all(log_folder + "/tile");
  fs::remove(folder_.path() / "signer");
  {
    GatewayRun run{folder_.path(), "x"};
    run.take_up();
    run.publish(1);
  }
  EXPECT_EQ(verify_with('x'), 0) << text_;
  EXPECT_EQ(verify_with('k'), 1) << text_;
}

}  // namespace
}  // namespace chancery::app::serve
