// The sensor's log on a real disk, with a signer; an auditor reads it.
#include "app/watch/sensor_log.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

#include "app/context.h"
#include "archive/seal/signer_process.h"
#include "archive/testing/records.h"
#include "archive/verify/archive_check.h"
#include "journal/reader.h"
#include "sensor/classify/decider.h"
#include "sensor/sensor.h"
#include "sensor/testing/samples.h"

namespace chancery::app::watch {
namespace {

namespace fs = std::filesystem;

Instant now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }
merkle::PrivateKey key() { return *merkle::PrivateKey::from_seed(Buffer(32, 'k')); }

class SensorLogTest : public ::testing::Test {
 protected:
  SensorLogTest() {
    config_.site = "hq";
    config_.node = "sensor-1";
    config_.archive = folder_.path() / "archive";
    config_.index = folder_.path() / "archive.index";
    config_.keys = folder_.path() / "archive.keys";
    config_.state = folder_.path() / "archive.state";
    config_.signer.socket = folder_.path() / "signer";
    (void)journal::KeyStore::create(journal::posix_disk(), config_.keys.string());
    std::vector<merkle::PrivateKey> held;
    held.push_back(key());
    signer_ = std::make_unique<seal::SignerService>(*seal::SignerService::open(
        seal::SignerCore{std::move(held), ""}, journal::posix_disk(), (folder_.path() / "signed").string(), now));
    stop_ = ::eventfd(0, EFD_CLOEXEC);
    serving_ = std::thread([this] { seal::serve_unix(*signer_, config_.signer.socket, stop_); });
  }
  ~SensorLogTest() override {
    const std::uint64_t one = 1;
    EXPECT_EQ(::write(stop_, &one, sizeof one), static_cast<ssize_t>(sizeof one));
    serving_.join();
    ::close(stop_);
  }

  static void read(SensorLog& log) {
    sensor::Sensor::Options options;
    options.also = &log;
    sensor::DeciderOptions deciding;
    deciding.ndpi = false;
    sensor::Sensor sensor{options, sensor::make_decider(deciding)};
    const auto samples = sensor::testing::samples();
    for (const auto& frame : samples.front().frames) sensor.frame(frame.view());
    sensor.finish();
    log.turn(now());
  }

  // All records that can be read, of every log of the archive.
  std::vector<Record> records(Kind kind) {
    std::vector<Record> found;
    auto keys = *journal::KeyStore::open(journal::posix_disk(), config_.keys.string());
    for (const auto& each : fs::directory_iterator{config_.archive / "logs" / "hq" / "sensor-1"}) {
      auto reader = journal::Reader::open(journal::posix_disk(), each.path().string(), &keys);
      if (!reader) continue;
      reader->set_limit_none();
      for (auto next = reader->next(); next && *next; next = reader->next())
        if (const auto record = decode_record((*next)->payload); record && record->event.kind == kind)
          found.push_back(*record);
    }
    return found;
  }
  int verify() {
    verify::FolderSource source{config_.archive};
    verify::Anchors anchors;
    anchors.keys = {key().public_key()};
    const verify::Report report = verify::verify_archive(source, anchors);
    text_ = report.text();
    return report.exit_code();
  }

  archive::testing::Folder folder_;
  gateway::Config config_;
  net::Log log_{2, net::Log::Form::plain, net::Level::alarm};
  std::unique_ptr<seal::SignerService> signer_;
  std::thread serving_;
  int stop_ = -1;
  std::string text_;
};

TEST_F(SensorLogTest, TheLogGoesOnOverARestartAndVerifies) {
  for (int run = 1; run <= 2; ++run) {
    SensorLog log{config_, "nobody", log_};
    log.open(now());
    read(log);
    log.heartbeat("seen: it all", now());
    log.close(now());
    EXPECT_EQ(log.status().recorded, 4U) << "two sign-ins and two messages";
    EXPECT_EQ(log.status().deliveries, 2U);
    EXPECT_EQ(verify(), 0) << text_;
    EXPECT_EQ(records(Kind::message).size(), 2U * static_cast<unsigned>(run));
  }
  EXPECT_TRUE(records(Kind::gap).empty());
  EXPECT_EQ(records(Kind::epoch).size(), 1U);
  const auto said = records(Kind::message);
  ASSERT_EQ(said.size(), 4U);
  EXPECT_EQ(said[0].conversation, said[2].conversation);
  EXPECT_EQ(said[2].conversation_sequence, 1U) << "a conversation counts on";
}

TEST_F(SensorLogTest, WithoutAKeyStoreOrRightsItSaysWhatToDo) {
  {
    SensorLog log{config_, "nobody", log_};
    fs::remove_all(config_.state);
    EXPECT_THROW(log.open(now()), Failure);
  }
  fs::remove_all(config_.keys);
  EXPECT_THROW((SensorLog{config_, "nobody", log_}), Failure);
}

// No file grows beyond the limit: as on a full disk.
class FullDisk {
 public:
  explicit FullDisk(rlim_t octets) {
    ::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{octets, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  rlimit before_{};
};

TEST_F(SensorLogTest, AJournalThatFailsIsOpenedAgainAndTheGapIsOnTheRecord) {
  std::uint64_t lost = 0;
  {
    SensorLog log{config_, "nobody", log_, std::chrono::milliseconds{0}};
    log.open(now());
    read(log);
    {
      const FullDisk full{1};
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{60};
      while (log.status().is_open && std::chrono::steady_clock::now() < end) read(log);
      EXPECT_FALSE(log.status().is_open);
      read(log);
      EXPECT_FALSE(log.status().is_open) << "the disk is still full";
    }
    lost = log.status().unsaid;
    EXPECT_GT(lost, 0U);
    log.turn(now());
    EXPECT_TRUE(log.status().is_open);
    read(log);
    EXPECT_EQ(log.status().unsaid, 0U);
    log.close(now());
  }
  const auto gaps = records(Kind::gap);
  EXPECT_TRUE(std::ranges::any_of(gaps, [&](const Record& gap) {
    return gap.event.detail.contains(std::to_string(lost) + " events seen between");
  }));
  EXPECT_EQ(verify(), 0) << text_;
}

TEST_F(SensorLogTest, AGapThatCouldNotBeRecordedIsSaidByTheNextStart) {
  {
    SensorLog log{config_, "nobody", log_};
    log.open(now());
    const FullDisk full{1};
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (log.status().is_open && std::chrono::steady_clock::now() < end) read(log);
    EXPECT_FALSE(log.status().is_open);
    const FullDisk less{4'096};
    log.close(now());
  }
  SensorLog log{config_, "nobody", log_};
  log.open(now());
  EXPECT_GT(log.status().unsaid, 0U);
  log.turn(now());
  log.close(now());
  EXPECT_TRUE(std::ranges::any_of(
      records(Kind::gap), [](const Record& gap) { return gap.event.detail.contains("before an earlier end"); }));
  EXPECT_EQ(verify(), 0) << text_;
}

}  // namespace
}  // namespace chancery::app::watch
