// The journal beside what the disk itself can do: the same records, written raw with one fdatasync for each group. Both
// in one run and in turn, best of several rounds each, because the speed of a shared disk drifts; read the ratio.
//
//   journal_bench [FOLDER]      default: a folder made under $TMPDIR, removed at the end
#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <mutex>
#include <stdlib.h>

#include "journal/open.h"

namespace chancery::journal {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kRecordSize = 512;  // octets, as docs speak of
constexpr int kRounds = 5;

class Counter final : public Observer {
 public:
  void on_durable(std::span<const Durable> group) override {
    const std::lock_guard guard(mutex_);
    done_ = group.back().index + 1;
    changed_.notify_one();
  }
  void on_failed(std::error_code why, std::uint64_t) override {
    fmt::print(stderr, "journal failed: {}\n", why.message());
    std::exit(1);
  }
  void wait_until(std::uint64_t size) {
    std::unique_lock guard(mutex_);
    changed_.wait(guard, [&] { return done_ >= size; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t done_ = 0;
};

double per_second(std::uint64_t records, Clock::time_point since) {
  return static_cast<double>(records) / std::chrono::duration<double>(Clock::now() - since).count();
}

void must(std::error_code error) {
  if (!error) return;
  fmt::print(stderr, "{}\n", error.message());
  std::exit(1);
}

// Plain records, appended to one file.
double raw(const std::string& folder, std::uint64_t group, std::uint64_t groups) {
  auto file = posix_disk().open(folder + "/raw", Disk::Mode::create);
  if (!file) must(file.error());
  const Buffer octets(group * kRecordSize, 'x');
  const auto since = Clock::now();
  for (std::uint64_t i = 0; i < groups; ++i) {
    must((*file)->write_at(i * octets.size(), Bytes(octets)));
    must((*file)->sync());
  }
  return per_second(group * groups, since);
}

struct Log {
  Log(const std::string& folder, std::uint32_t threads) {
    must(KeyStore::create(posix_disk(), folder + "/keys"));
    keys = std::make_unique<KeyStore>(*KeyStore::open(posix_disk(), folder + "/keys"));
    Options options;
    options.disk = &posix_disk();
    options.archive = folder + "/archive";
    options.state = folder + "/state";
    options.site = "bench";
    options.node = "gw";
    options.keys = keys.get();
    options.observer = &counter;
    options.threads = threads;
    options.now = std::chrono::floor<std::chrono::nanoseconds>(std::chrono::system_clock::now());
    now = options.now;
    options.epoch_record = [](const NewEpoch&, const OwnRecord&) { return Buffer("epoch"); };
    auto opened = open(options);
    if (!opened) {
      fmt::print(stderr, "{}\n", opened.error().detail);
      std::exit(1);
    }
    journal = std::move(opened->journal);
  }
  Entry entry() const {
    Entry e;
    e.time = now;
    e.payload = Buffer(kRecordSize, 'x');
    return e;
  }
  std::uint64_t append() {
    while (true) {
      const auto index = journal->append(entry());
      if (index) return *index;
      counter.wait_until(journal->durable_size() + 1);  // the queue is full
    }
  }

  Counter counter;
  std::unique_ptr<KeyStore> keys;
  std::unique_ptr<Journal> journal;
  Instant now;
};

// Each group is appended when the one before is durable: nothing to overlap with.
double lockstep(Log& log, std::uint64_t group, std::uint64_t groups) {
  const auto since = Clock::now();
  for (std::uint64_t i = 0; i < groups; ++i) {
    std::uint64_t last = 0;
    for (std::uint64_t k = 0; k < group; ++k) last = log.append();
    log.counter.wait_until(last + 1);
  }
  return per_second(group * groups, since);
}

// Never more than `group` records beyond what the journal has taken: as many sessions as that, each with one in flight,
// twice over, so that one group fills while the other is synced.
double flowing(Log& log, std::uint64_t group, std::uint64_t groups) {
  const auto since = Clock::now();
  std::uint64_t last = 0;
  for (std::uint64_t i = 0; i < groups; ++i) {
    if (last > 3 * group) log.counter.wait_until(last + 1 - 3 * group);
    for (std::uint64_t k = 0; k < group; ++k) last = log.append();
  }
  log.counter.wait_until(last + 1);
  return per_second(group * groups, since);
}

struct Row {
  double raw = 0, lockstep = 0, flowing = 0;
};

Row measure(const std::string& folder, Log& log, std::uint64_t group) {
  // As many groups as the disk does in about a quarter of a second.
  const double rate = raw(folder, group, 50);
  const auto groups = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rate / 4) / group, 20, 4000);
  std::vector<double> raws, locks, flows;
  for (int round = 0; round < kRounds; ++round) {
    raws.push_back(raw(folder, group, groups));
    locks.push_back(lockstep(log, group, groups));
    flows.push_back(flowing(log, group, groups));
  }
  const auto median = [](std::vector<double>& v) {
    std::ranges::sort(v);
    return v[v.size() / 2];
  };
  return {median(raws), median(locks), median(flows)};
}

int run(int argc, char** argv) {
  std::string folder;
  if (argc > 1) {
    folder = argv[1];
    std::filesystem::create_directories(folder);
  } else {
    const char* base = std::getenv("TMPDIR");
    folder = std::string(base != nullptr ? base : "/var/tmp") + "/journal_bench.XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) return 1;
  }
  fmt::print("{}-octet records, median of {}; raw = write + fdatasync of the same octets\n", kRecordSize, kRounds);
  fmt::print("{:>8} {:>6} {:>12} {:>12} {:>7} {:>12} {:>7}\n", "threads", "group", "raw/s", "lockstep/s", "ratio",
             "flowing/s", "ratio");
  for (const std::uint32_t threads : {1U, 2U, 3U}) {
    const std::string below = folder + "/" + std::to_string(threads);
    std::filesystem::create_directories(below);
    {
      Log log(below, threads);
      for (const std::uint64_t group : {1U, 16U, 256U}) {
        const Row row = measure(below, log, group);
        fmt::print("{:>8} {:>6} {:>12.0f} {:>12.0f} {:>7.2f} {:>12.0f} {:>7.2f}\n", threads, group, row.raw,
                   row.lockstep, row.lockstep / row.raw, row.flowing, row.flowing / row.raw);
      }
    }
    std::filesystem::remove_all(below);
  }
  if (argc <= 1) std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace chancery::journal

int main(int argc, char** argv) { return chancery::journal::run(argc, argv); }
