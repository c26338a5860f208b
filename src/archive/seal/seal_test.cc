// The sealer on a real journal, on a disk in memory that fails and loses power; `verify` says whether it did well.
#include <gtest/gtest.h>
#include <random>

#include "archive/seal/sealer.h"
#include "archive/seal/signer_service.h"
#include "archive/verify/archive_check.h"
#include "journal/journal_fixture.h"

namespace chancery::seal {
namespace {

using journal::MemoryDisk;

const merkle::SigningKey kWitness{"w.example/1", merkle::KeyType::cosignature,
                                  *merkle::PrivateKey::from_seed(Buffer(32, 'w'))};

// A witness that cosigns whatever it is shown.
class Yes : public Cosigner {
 public:
  const merkle::VerifierKey& key() const override { return key_; }
  std::expected<std::vector<merkle::NoteSignature>, CosignFailure> add_checkpoint(
      const merkle::AddCheckpoint& request) override {
    if (request.old_size != seen) return std::unexpected(CosignFailure{seen, "another size"});
    const auto note = *merkle::parse_note(request.checkpoint);
    seen = merkle::Checkpoint::parse(note.text)->head.size;
    return std::vector{kWitness.cosign(note.text, static_cast<std::uint64_t>(unix_ns(journal::kNow) / 1'000'000'000))};
  }
  std::uint64_t seen = 0;

 private:
  merkle::VerifierKey key_ = kWitness.verifier();
};

class No : public Cosigner {
 public:
  const merkle::VerifierKey& key() const override { return key_; }
  std::expected<std::vector<merkle::NoteSignature>, CosignFailure> add_checkpoint(
      const merkle::AddCheckpoint&) override {
    return std::unexpected(CosignFailure{{}, "out of reach"});
  }

 private:
  merkle::VerifierKey key_ = kWitness.verifier();
};

// One run of a gateway, what keeps evidence of it: journal, sealer, signer. The signer's state lies on a disk of its
// own.
class Evidence {
 public:
  Evidence(MemoryDisk& disk, MemoryDisk& signer_disk, std::vector<Cosigner*> witnesses = {})
      : disk_(disk),
        signer_(*SignerService::open(SignerCore{*merkle::PrivateKey::from_seed(Buffer(32, 'k')), "hq/gw-1/"},
                                     signer_disk, "/signer", [] { return journal::kNow; })),
        keys_(open_keys(signer_disk)) {
    auto options = journal::options_on(disk, keys_, &relay_);
    options.published_size = [&disk](const std::string& origin) {
      return published_size(disk, journal::log_folder(std::string{journal::kArchive}, origin));
    };
    auto opened = journal::open(options);
    if (!opened) return;
    journal_ = std::move(opened->journal);
    const std::string folder = journal::log_folder(std::string{journal::kArchive}, journal_->origin());
    const auto vkey = signer_.verifier(journal_->origin());
    if (journal::write_file_durably(disk, folder + "/log.vkey", vkey->vkey() + "\n")) return;
    sealer_ = std::make_unique<Sealer>(SealerOptions{.disk = &disk,
                                                     .folder = folder,
                                                     .origin = journal_->origin(),
                                                     .signer = &signer_,
                                                     .witnesses = std::move(witnesses),
                                                     .leaves = journal_leaves(disk, folder),
                                                     .interval = std::chrono::milliseconds{1}});
    relay_.sealer = sealer_.get();
    sealer_->start(journal_->durable_size());
  }
  ~Evidence() { stop(); }

  bool is_open() const { return sealer_ != nullptr; }
  void append(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      journal::Entry entry = journal::message("text");  // each in a conversation of its own
      const std::uint64_t index = journal_->next_index();
      std::memcpy(entry.conversation.octets.data(), &index, sizeof index);
      if (!journal_->append(std::move(entry))) return;
    }
  }
  void stop() {
    if (journal_) journal_->close();
    if (sealer_) sealer_->stop();
  }
  void await_published(std::uint64_t size) {
    while (sealer_->status().published < size && !sealer_->status().failed) std::this_thread::yield();
  }
  SealerStatus status() const { return sealer_->status(); }
  std::uint64_t durable() const { return journal_->durable_size(); }

 private:
  struct Relay : journal::Observer {
    void on_durable(std::span<const journal::Durable> group) override {
      if (auto* to = sealer.load()) to->on_durable(group);
    }
    void on_failed(std::error_code why, std::uint64_t size) override {
      if (auto* to = sealer.load()) to->on_failed(why, size);
    }
    std::atomic<Sealer*> sealer = nullptr;
  };
  static journal::KeyStore open_keys(MemoryDisk& disk) {
    (void)journal::KeyStore::create(disk, std::string{journal::kKeys});
    return *journal::KeyStore::open(disk, std::string{journal::kKeys});
  }

  MemoryDisk& disk_;
  SignerService signer_;
  journal::KeyStore keys_;
  Relay relay_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<Sealer> sealer_;
};

class Seal : public ::testing::Test {
 protected:
  static verify::Report check(const MemoryDisk& disk, bool is_witnessed = false) {
    std::map<std::string, Buffer> files;
    const std::string top = std::string{journal::kArchive} + "/";
    for (const std::string& path : disk.files(std::string{journal::kArchive}))
      files[path.starts_with(top) ? path.substr(top.size()) : path] = disk.contents(path);
    verify::MemorySource source{std::move(files)};
    verify::Anchors anchors;
    anchors.keys = {merkle::PrivateKey::from_seed(Buffer(32, 'k'))->public_key()};
    if (is_witnessed) anchors.witnesses = {kWitness.verifier()};
    return verify::verify_archive(source, anchors);
  }
  MemoryDisk disk_, signer_disk_;
};

TEST_F(Seal, PublishesEverythingThatIsDurable) {
  Evidence run{disk_, signer_disk_};
  ASSERT_TRUE(run.is_open());
  run.append(700);
  run.stop();
  EXPECT_EQ(run.status().published, run.durable());
  EXPECT_EQ(run.status().sealed, run.durable());
  const verify::Report report = check(disk_);
  EXPECT_EQ(report.exit_code(), 0) << report.text();
  EXPECT_EQ(report.logs.at(0).published, 702U);
}

TEST_F(Seal, GoesOnAfterEachOfManyRestarts) {
  for (std::uint64_t round = 1; round <= 8; ++round) {
    Evidence run{disk_, signer_disk_};
    ASSERT_TRUE(run.is_open());
    run.append(67);
    run.stop();
    const verify::Report report = check(disk_);
    ASSERT_EQ(report.exit_code(), 0) << report.text();
    EXPECT_EQ(report.logs.at(0).published, 2 + 67 * round);
  }
}

TEST_F(Seal, CarriesCosignaturesOfTheWitnessesThatAnswer) {
  Yes yes;
  No no;
  Evidence run{disk_, signer_disk_, {&no, &yes}};
  run.append(5);
  run.await_published(7);
  run.append(5);
  run.stop();
  EXPECT_EQ(run.status().witnessed, 12U);
  const verify::Report report = check(disk_, true);
  EXPECT_EQ(report.exit_code(), 0) << report.text();
  EXPECT_EQ(report.logs.at(0).witnessed, 12U);
}

TEST_F(Seal, LearnsFromAWitnessWhatItSawLast) {
  Yes yes;
  {
    Evidence run{disk_, signer_disk_, {&yes}};
    run.append(5);
    run.stop();
  }
  yes.seen = 0;  // another witness in its place
  Evidence run{disk_, signer_disk_, {&yes}};
  run.append(5);
  run.stop();
  EXPECT_EQ(yes.seen, 12U);
  EXPECT_EQ(check(disk_, true).exit_code(), 0);
}

TEST_F(Seal, MakesTilesAgainThatAreGone) {
  {
    Evidence run{disk_, signer_disk_};
    run.append(600);
    run.stop();
  }
  for (const std::string& path : disk_.files(std::string{journal::kArchive}))
    if (path.find("/tile/") != path.npos) disk_.erase(path);
  ASSERT_EQ(check(disk_).exit_code(), 1);
  Evidence run{disk_, signer_disk_};
  run.append(3);
  run.stop();
  EXPECT_EQ(check(disk_).exit_code(), 0) << check(disk_).text();
}

TEST_F(Seal, StopsWhenTheSignerHasSignedMoreThanThereIs) {
  {
    Evidence run{disk_, signer_disk_};
    run.append(5);
    run.stop();
  }
  // The archive's checkpoints are gone, and the signer remembers more than the archive has.
  auto rolled_back = disk_.after_kill();
  for (const std::string& path : rolled_back->files(std::string{journal::kArchive}))
    if (path.find("checkpoint") != path.npos) rolled_back->erase(path);
  auto ahead = signer_disk_.after_kill();
  Buffer state = ahead->contents("/signer");
  ASSERT_NE(state.find(" 7 "), state.npos);
  ahead->set_contents("/signer", state.replace(state.find(" 7 "), 3, " 9 "));
  Evidence run{*rolled_back, *ahead};
  ASSERT_TRUE(run.is_open());
  run.append(1);
  run.stop();
  EXPECT_TRUE(run.status().failed);
  EXPECT_EQ(run.status().published, 0U);
}

// A kill at each operation: after the next start everything is published and clean.
TEST_F(Seal, IsCleanAfterPowerLossAtEachPoint) {
  {
    Evidence run{disk_, signer_disk_};
    run.append(300);
    run.stop();
  }
  const char* const given = std::getenv("CHANCERY_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed) + " (CHANCERY_SEED repeats it)");
  std::mt19937_64 random{seed};
  for (std::uint64_t cut = 1; cut < 60; ++cut) {
    auto disk = disk_.after_kill();
    disk->cut_power_after(cut);
    {
      Evidence run{*disk, signer_disk_};
      if (run.is_open()) run.append(1 + random() % 9);
    }
    auto after = disk->after_power_loss([&] { return random() % 2 == 0; });
    const verify::Report found = check(*after);
    ASSERT_EQ(found.exit_code(), 0) << "cut " << cut << "\n" << found.text();
    Evidence again{*after, signer_disk_};
    if (!again.is_open()) continue;
    again.append(2);
    again.stop();
    if (again.status().failed) continue;  // the signer knows more than survived: published size stays
    const verify::Report report = check(*after);
    ASSERT_EQ(report.exit_code(), 0) << "cut " << cut << "\n" << report.text();
  }
}

}  // namespace
}  // namespace chancery::seal
