// The journal beside what the disk itself can do: the same records, written raw with one fdatasync for each group. Both
// in one run and in turn, median of several rounds each, because the speed of a shared disk drifts; read the ratio.
// Takes about a minute: each measurement runs for a fixed time.
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
#include <sys/resource.h>
#include <thread>

#include "journal/open.h"

namespace chancery::journal {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kRecordSize = 512;  // octets, as docs speak of
constexpr int kRounds = 5;
constexpr auto kMeasureTime = std::chrono::milliseconds(250);  // each

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

// Of all threads of this process, the kernel's work for them included.
double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void must(std::error_code error) {
  if (!error) return;
  fmt::print(stderr, "{}\n", error.message());
  std::exit(1);
}

// Plain records, appended to one file.
double raw(const std::string& folder, std::uint64_t group) {
  auto file = posix_disk().open(folder + "/raw", Disk::Mode::create);
  if (!file) must(file.error());
  const Buffer octets(group * kRecordSize, 'x');
  const auto since = Clock::now();
  std::uint64_t groups = 0;
  for (; Clock::now() - since < kMeasureTime; ++groups) {
    must((*file)->write_at(groups * octets.size(), Bytes(octets)));
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
    e.payload = journal->spare_buffer();
    e.payload.assign(kRecordSize, 'x');
    return e;
  }
  // Index of the last record. As the gateway does it: one by one, handed over together.
  std::uint64_t append(std::uint64_t records) {
    std::uint64_t last = 0;
    for (std::uint64_t done = 0; done < records;) {
      const auto index = journal->stage(entry());
      if (!index) counter.wait_until(journal->durable_size() + 1);  // the queue is full
      if (!index) continue;
      last = *index;
      ++done;
    }
    journal->hand_over();
    return last;
  }

  Counter counter;
  std::unique_ptr<KeyStore> keys;
  std::unique_ptr<Journal> journal;
  Instant now;
};

// Each group is appended when the one before is durable: nothing to overlap with.
double lockstep(Log& log, std::uint64_t group) {
  const auto since = Clock::now();
  std::uint64_t groups = 0;
  for (; Clock::now() - since < kMeasureTime; ++groups) log.counter.wait_until(log.append(group) + 1);
  return per_second(group * groups, since);
}

// Never more than three groups beyond what the journal has taken: as many sessions as that, each with one record in
// flight, so that one group fills while another is synced.
double flowing(Log& log, std::uint64_t group, double& cpu_us) {
  const auto since = Clock::now();
  const double cpu_before = cpu_seconds();
  std::uint64_t last = 0, groups = 0;
  for (; Clock::now() - since < kMeasureTime; ++groups) {
    if (groups >= 3) log.counter.wait_until(last + 1 - 2 * group);
    last = log.append(group);
  }
  log.counter.wait_until(last + 1);
  cpu_us = 1e6 * (cpu_seconds() - cpu_before) / static_cast<double>(group * groups);
  return per_second(group * groups, since);
}

struct Row {
  double raw = 0, lockstep = 0, flowing = 0, cpu_us = 0;
};

Row measure(const std::string& folder, Log& log, std::uint64_t group) {
  std::vector<double> raws, locks, flows, cpus;
  for (int round = 0; round < kRounds; ++round) {
    raws.push_back(raw(folder, group));
    locks.push_back(lockstep(log, group));
    flows.push_back(flowing(log, group, cpus.emplace_back()));
  }
  const auto median = [](std::vector<double>& v) {
    std::ranges::sort(v);
    return v[v.size() / 2];
  };
  return {median(raws), median(locks), median(flows), median(cpus)};
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
  fmt::print("{}-octet records, {} processors, median of {}; raw = write + fdatasync of the same octets\n", kRecordSize,
             std::thread::hardware_concurrency(), kRounds);
  fmt::print(
      "threads: of the journal, beside the one that appends; CPU µs: of all threads, for each record of flowing\n");
  fmt::print("{:>8} {:>6} {:>12} {:>12} {:>7} {:>12} {:>7} {:>7}\n", "threads", "group", "raw/s", "lockstep/s", "ratio",
             "flowing/s", "ratio", "CPU µs");
  for (const std::uint32_t threads : {1U, 2U, 3U}) {
    const std::string below = folder + "/" + std::to_string(threads);
    std::filesystem::create_directories(below);
    {
      Log log(below, threads);
      for (const std::uint64_t group : {1U, 16U, 256U}) {
        const Row row = measure(below, log, group);
        fmt::print("{:>8} {:>6} {:>12.0f} {:>12.0f} {:>7.2f} {:>12.0f} {:>7.2f} {:>7.2f}\n", threads, group, row.raw,
                   row.lockstep, row.lockstep / row.raw, row.flowing, row.flowing / row.raw, row.cpu_us);
        std::fflush(stdout);
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
