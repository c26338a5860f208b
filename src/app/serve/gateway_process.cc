#include "app/serve/gateway_process.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>
#include <signal.h>
#include <thread>
#include <unistd.h>

#include "app/serve/checkpoint_keys.h"
#include "app/serve/evidence_metrics.h"
#include "app/serve/fanout.h"
#include "app/serve/keys.h"
#include "app/serve/open_archive.h"
#include "app/serve/own_records.h"
#include "app/serve/signer.h"
#include "app/serve/witnesses.h"
#include "archive/indexer.h"
#include "archive/seal/sealer.h"
#include "archive/seal/signer_process.h"
#include "codec/registry.h"
#include "config/load.h"
#include "config/policy_file.h"
#include "gateway/gateway.h"
#include "gateway/legs.h"
#include "gateway/memory.h"
#include "gateway/memory_keeper.h"
#include "journal/keystore.h"
#include "journal/open.h"
#include "journal/reader.h"

namespace chancery::app::serve {
namespace {

constexpr const char* kSignerKeysFile = "signer.keys";   // in the state folder: what the signer held at the last start
constexpr std::uint64_t kSignerKeysSizeMax = 64U << 10;  // octets
constexpr const char* kMemoryFile = "gateway.memory";

Instant wall_clock() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

net::Log::Form log_form(gateway::LogFormat format) {
  switch (format) {
    case gateway::LogFormat::plain:
      return net::Log::Form::plain;
    case gateway::LogFormat::json:
      return net::Log::Form::json;
    case gateway::LogFormat::journald:
      return net::Log::Form::journald;
    case gateway::LogFormat::automatic:
      break;
  }
  return net::Log::choose_form(STDERR_FILENO);
}

// Everything between a checked configuration and a running gateway. Members are destroyed from the last to the first,
// so what observes the journal is above it.
class Process {
 public:
  Process(gateway::Config config, net::Log& log)
      : config_(std::move(config)),
        log_(log),
        keys_(open_keys(config_.keys)),
        gateway_(config_, config::load_policy(config_.policy, config_.state), find_protocol, log_),
        indexer_(index_options()) {}

  void start();
  bool run() { return gateway_.run(); }
  void finish();
  void stop() { gateway_.stop(); }
  void reload();

 private:
  archive::IndexerOptions index_options();
  void open_journal();
  void start_sealer();
  void note_recovery();
  void note_retired_keys();
  std::pair<gateway::Memory, gateway::Legs> recall();

  gateway::Config config_;
  net::Log& log_;
  journal::KeyStore keys_;
  gateway::Gateway gateway_;
  std::optional<gateway::MemoryKeeper> keeper_;  // used on the indexer's thread
  archive::Indexer indexer_;
  std::unique_ptr<seal::SignerClient> signer_;
  std::vector<std::unique_ptr<witness::HttpCosigner>> witnesses_;
  std::optional<CheckpointKeys> checkpoint_keys_;
  std::unique_ptr<seal::Sealer> sealer_;
  Durability durability_;
  Fanout fanout_;
  journal::Opened opened_;
};

archive::IndexerOptions Process::index_options() {
  archive::IndexerOptions options;
  options.index = config_.index;
  options.archive = config_.archive;
  options.keys = config_.keys;
  options.credential = credential_file();
  options.on_problem = [this](const std::string& what) {
    log_.warning("the index has a problem", {{"problem", what}});
  };
  options.on_record = [this](std::uint64_t index, const archive::LeafOctets& octets, const Record* record) {
    const auto leaf = decode_leaf({octets.data(), octets.size()});
    if (keeper_ && leaf) keeper_->record(index, *leaf, record);
  };
  return options;
}

void Process::open_journal() {
  opened_ = open_archive(config_, keys_, fanout_, log_);
  const journal::Recovery& recovery = opened_.recovery;
  if (recovery.new_epoch)
    log_.info("a log begins", {{"log", opened_.journal->origin()}, {"why", in_words(recovery.new_epoch->reason)}});
}

void Process::start_sealer() {
  signer_ = make_signer(config_, config_.state / "signer.state");
  witnesses_ = make_witnesses(config_);
  seal::SealerOptions options;
  options.disk = &journal::posix_disk();
  options.origin = opened_.journal->origin();
  options.folder = journal::log_folder(config_.archive.string(), options.origin);
  options.signer = signer_.get();
  for (const auto& cosigner : witnesses_) options.witnesses.push_back(cosigner.get());
  checkpoint_keys_.emplace(options.folder, options.origin, *signer_, log_);
  checkpoint_keys_->take_up(*opened_.journal, opened_.recovery, durability_, wall_clock());
  options.keys = [this] { return checkpoint_keys_->turns(); };
  options.leaves = seal::journal_leaves(journal::posix_disk(), options.folder);
  options.on_problem = [this](const std::string& what) {
    log_.warning("checkpoints have a problem", {{"problem", what}});
  };
  sealer_ = std::make_unique<seal::Sealer>(std::move(options));
  fanout_.add(*sealer_);
}

// What the log says of the time before this start: sequences, notices and unfinished connections since the last
// snapshot, and legs from further back, as far as the table reaches.
std::pair<gateway::Memory, gateway::Legs> Process::recall() {
  const journal::Journal& journal = *opened_.journal;
  gateway::Memory memory =
      gateway::load_memory(config_.state / kMemoryFile, journal.origin()).value_or(gateway::Memory{});
  gateway::Memory older;  // of records that the snapshot covers, only the legs are wanted
  gateway::Legs legs{config_.limits.match_entries_max};
  auto reader = journal::Reader::open(journal::posix_disk(),
                                      journal::log_folder(config_.archive.string(), journal.origin()), &keys_);
  if (!reader) throw Failure("cannot read the log back: " + reader.error().message());
  const std::uint64_t end = journal.durable_size();
  const std::uint64_t reach = config_.limits.match_entries_max;
  const std::uint64_t snapshot = std::min(memory.size, end);
  reader->set_limit(end);
  reader->seek(std::min(snapshot, end > reach ? end - reach : 0));
  gateway::Recall before{older, legs};
  gateway::Recall since{memory, legs};
  for (;;) {
    const auto next = reader->next();
    if (!next) throw Failure("cannot read the log back: " + next.error().message() + " (" + reader->where() + ")");
    if (!next->has_value()) break;
    const journal::ReadRecord& record = **next;
    const Bytes payload = record.payload;
    (record.index < snapshot ? before : since)
        .record(record.index, record.leaf, record.body == journal::ReadRecord::Body::clear ? &payload : nullptr);
  }
  return {std::move(memory), std::move(legs)};
}

void Process::start() {
  fanout_.add(gateway_);
  fanout_.add(indexer_);
  fanout_.add(durability_);
  open_journal();
  start_sealer();
  const std::uint64_t size = opened_.journal->durable_size();
  auto [memory, legs] = recall();
  keeper_.emplace(config_.state / kMemoryFile, opened_.journal->origin(), memory, [this](std::error_code error) {
    log_.warning("a snapshot was not written; a start after a crash reads more of the log",
                 {{"error", error.message()}});
  });
  sealer_->start(size);
  indexer_.start(opened_.journal->origin(), size);
  gateway_.add_metrics([this] { return evidence_metrics(sealer_->status(), sealer_->witnesses(), indexer_.status()); });
  gateway_.start(*opened_.journal, std::move(memory), std::move(legs));
  note_recovery();
  if (opened_.recovery.new_epoch)
    log_.info("recording", {{"log", opened_.journal->origin()}, {"records", size}});
  else
    log_.info("recording", {{"log", opened_.journal->origin()},
                            {"records", size},
                            {"clean_start", opened_.recovery.clean ? "yes" : "no"}});
}

// What opening the log found that only a record can tell later.
void Process::note_recovery() {
  const journal::Recovery& recovery = opened_.recovery;
  if (!recovery.clean && !recovery.new_epoch && !recovery.torn)
    gateway_.note(Kind::gap, "the last process ended uncleanly; no record that was durable is missing");
  for (const journal::Outage& outage : recovery.outages)
    gateway_.note(Kind::outage, fmt::format("recording failed at {}: {}; durable up to record {}",
                                            to_rfc3339(outage.time), outage.what, outage.durable_size));
  note_retired_keys();
}

// A key that the signer held at the last start and holds no more: retiring it leaves no other trace.
void Process::note_retired_keys() {
  const auto& held = checkpoint_keys_->held();
  if (held.empty()) return;
  const std::string file = (config_.state / kSignerKeysFile).string();
  const auto before = journal::read_file(journal::posix_disk(), file, kSignerKeysSizeMax);
  const std::string now = fmt::format("{}\n", fmt::join(held, "\n"));
  if (before && *before == now) return;
  for (std::size_t at = 0; before && at < before->size();) {
    const auto end = std::min(before->find('\n', at), before->size());
    const std::string key = before->substr(at, end - at);
    at = end + 1;
    const bool is_of_this_log = key.starts_with(opened_.journal->origin() + "+");
    if (is_of_this_log && std::ranges::find(held, key) == held.end())
      gateway_.note(Kind::key_change, fmt::format("checkpoint key {} is retired: the signer holds it no more", key));
  }
  if (const auto error = journal::write_file_durably(journal::posix_disk(), file, now))
    log_.warning("the signer's keys are not remembered", {{"file", file}, {"error", error.message()}});
}

void Process::finish() {
  opened_.journal->close();
  // Noted twice when this process is killed before: better than never.
  if (!opened_.recovery.outages.empty() && opened_.journal->durable_size() == opened_.journal->next_index())
    if (const auto error =
            journal::forget_outages(journal::posix_disk(), config_.state.string(), config_.site, config_.node))
      log_.warning("noted outages stay in the reserve and will be noted again", {{"error", error.message()}});
  sealer_->stop();
  indexer_.stop();
  if (const auto error =
          gateway::save_memory(config_.state / kMemoryFile, opened_.journal->origin(), gateway_.memory()))
    log_.warning("the snapshot was not written; the next start reads the whole log", {{"error", error.message()}});
}

void Process::reload() {
  try {
    gateway::Config config = config::load(config_.file);
    auto policy = config::load_policy(config.policy, config_.state);
    gateway_.reload(std::move(config), std::move(policy));
  } catch (const std::exception& error) {
    gateway_.refuse_reload(error.what());
  }
}

// Blocks the signals in every thread that is started later, and serves them on one of its own.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) sigaddset(&set_, signal);
    ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
  }
  ~Signals() {
    if (!thread_.joinable()) return;
    ::pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }

  void serve(Process& process) {
    thread_ = std::thread([this, &process] {
      for (int signal = 0; ::sigwait(&set_, &signal) == 0 && signal != SIGUSR1;)
        signal == SIGHUP ? process.reload() : process.stop();
    });
  }

 private:
  sigset_t set_{};
  std::thread thread_;
};

}  // namespace

Exit run_gateway(const Context&, const std::filesystem::path& config_file) {
  Signals signals;
  gateway::Config config = config::load(config_file);
  net::Log log{STDERR_FILENO, log_form(config.log)};
  Process process{std::move(config), log};
  process.start();
  signals.serve(process);
  const bool good = process.run();
  process.finish();
  return good ? Exit::ok : Exit::wrong;
}

}  // namespace chancery::app::serve
