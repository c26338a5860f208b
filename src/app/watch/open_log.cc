#include "app/watch/open_log.h"

#include <algorithm>
#include <fmt/format.h>
#include <random>

#include "app/context.h"
#include "app/serve/keys.h"
#include "app/serve/open_archive.h"
#include "app/serve/own_records.h"
#include "app/serve/signer.h"
#include "app/serve/witnesses.h"
#include "journal/reader.h"

namespace chancery::app::watch {
namespace {

std::uint64_t random_number() {
  std::random_device device;
  return std::uint64_t{device()} << 32U | device();
}

}  // namespace

OpenLog::OpenLog(const gateway::Config& config, journal::KeyStore& keys, net::Log& log, Instant now)
    : config_(config), keys_(keys), log_(log), indexer_(index_options()) {
  fanout_.add(indexer_);
  fanout_.add(durability_);
  opened_ = serve::open_archive(config_, keys_, fanout_, log_);
  start_sealer(now);
  gateway::Memory memory = recall();
  const auto& origin = opened_.journal->origin();
  conversations_.emplace(opened_.journal->derive_secret("conversation").bytes());
  for (const auto& [id, next] : memory.sequences)
    if (next > 0) conversations_->used(id, next - 1);
  keeper_.emplace(own_file("memory"), origin, std::move(memory), [this](std::error_code error) {
    log_.warning("a snapshot was not written; a start after a crash reads more of the log",
                 {{"error", error.message()}});
  });
  const std::uint64_t size = opened_.journal->durable_size();
  sealer_->start(size);
  indexer_.start(origin, size);
  journal_recorder_.emplace(*opened_.journal, *conversations_, stats_);
  // Handed over by SeenRecorder::flush, after each handful of packets.
  journal_recorder_->hand_over_by([] {});
  recorder_.emplace(*journal_recorder_, *conversations_, config_.node, random_number());
  note_recovery(now);
  log_.info("recording", {{"log", origin}, {"records", size}});
}

// Several processes may share the folder; each of them is another node.
std::filesystem::path OpenLog::own_file(std::string_view suffix) const {
  return config_.state / fmt::format("sensor.{}.{}", config_.node, suffix);
}

archive::IndexerOptions OpenLog::index_options() {
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

void OpenLog::start_sealer(Instant now) {
  signer_ = serve::make_signer(config_, own_file("signer.state"));
  witnesses_ = serve::make_witnesses(config_);
  seal::SealerOptions options;
  options.disk = &journal::posix_disk();
  options.origin = opened_.journal->origin();
  options.folder = journal::log_folder(config_.archive.string(), options.origin);
  options.signer = signer_.get();
  for (const auto& cosigner : witnesses_) options.witnesses.push_back(cosigner.get());
  checkpoint_keys_.emplace(options.folder, options.origin, *signer_, log_);
  checkpoint_keys_->take_up(*opened_.journal, opened_.recovery, durability_, now);
  options.keys = [this] { return checkpoint_keys_->turns(); };
  options.leaves = seal::journal_leaves(journal::posix_disk(), options.folder);
  options.on_problem = [this](const std::string& what) {
    log_.warning("checkpoints have a problem", {{"problem", what}});
  };
  sealer_ = std::make_unique<seal::Sealer>(std::move(options));
  fanout_.add(*sealer_);
}

// The sequences of conversations: from the snapshot, and what the log has since.
gateway::Memory OpenLog::recall() {
  const journal::Journal& journal = *opened_.journal;
  gateway::Memory memory = gateway::load_memory(own_file("memory"), journal.origin()).value_or(gateway::Memory{});
  auto reader = journal::Reader::open(journal::posix_disk(),
                                      journal::log_folder(config_.archive.string(), journal.origin()), &keys_);
  if (!reader) throw Failure("cannot read the log back: " + reader.error().message());
  const std::uint64_t end = journal.durable_size();
  reader->set_limit(end);
  reader->seek(std::min(memory.size, end));
  gateway::Recall since{memory};
  for (;;) {
    const auto next = reader->next();
    if (!next) throw Failure("cannot read the log back: " + next.error().message() + " (" + reader->where() + ")");
    if (!next->has_value()) return memory;
    const journal::ReadRecord& record = **next;
    const Bytes payload = record.payload;
    since.record(record.index, record.leaf, record.body == journal::ReadRecord::Body::clear ? &payload : nullptr);
  }
}

void OpenLog::note_recovery(Instant now) {
  const journal::Recovery& recovery = opened_.recovery;
  if (recovery.new_epoch)
    log_.info("a log begins",
              {{"log", opened_.journal->origin()}, {"why", serve::in_words(recovery.new_epoch->reason)}});
  if (!recovery.clean && !recovery.new_epoch && !recovery.torn)
    (void)journal_recorder_->note_log(Kind::gap,
                                      "the last process ended uncleanly; no record that was durable is missing", now);
  for (const journal::Outage& outage : recovery.outages)
    (void)journal_recorder_->note_log(Kind::outage,
                                      fmt::format("recording failed at {}: {}; durable up to record {}",
                                                  to_rfc3339(outage.time), outage.what, outage.durable_size),
                                      now);
  journal_recorder_->hand_over();
}

void OpenLog::close() {
  if (std::exchange(is_closed_, true) || !opened_.journal) return;
  opened_.journal->close();
  if (!opened_.recovery.outages.empty() && opened_.journal->durable_size() == opened_.journal->next_index())
    if (const auto error =
            journal::forget_outages(journal::posix_disk(), config_.state.string(), config_.site, config_.node))
      log_.warning("noted outages stay in the reserve and will be noted again", {{"error", error.message()}});
  sealer_->stop();
  indexer_.stop();
  if (!keeper_) return;
  if (const auto error = gateway::save_memory(own_file("memory"), opened_.journal->origin(), keeper_->memory()))
    log_.warning("the snapshot was not written; the next start reads more of the log", {{"error", error.message()}});
}

}  // namespace chancery::app::watch
