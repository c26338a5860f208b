#pragma once
// One opening of the sensor's log: journal, checkpoints and index, and what they need. It lasts until the journal fails
// or the sensor ends.
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "app/serve/checkpoint_keys.h"
#include "app/serve/fanout.h"
#include "app/watch/seen_recorder.h"
#include "archive/indexer.h"
#include "archive/seal/sealer.h"
#include "archive/seal/signer_process.h"
#include "archive/witness/witness_http.h"
#include "gateway/config.h"
#include "gateway/memory.h"
#include "gateway/memory_keeper.h"
#include "journal/keystore.h"
#include "journal/open.h"
#include "net/log.h"

namespace chancery::app::watch {

class OpenLog {
 public:
  // All are borrowed. Throws Failure.
  OpenLog(const gateway::Config& config, journal::KeyStore& keys, net::Log& log, Instant now);
  ~OpenLog() { close(); }
  OpenLog(const OpenLog&) = delete;
  OpenLog& operator=(const OpenLog&) = delete;

  SeenRecorder& recorder() { return *recorder_; }
  const journal::Journal& journal() const { return *opened_.journal; }
  std::uint64_t published() const { return sealer_->status().published; }
  std::uint64_t indexed() const { return indexer_.status().complete_to; }
  // What was handed over is durable, sealed and published, as far as that goes. Idempotent.
  void close();

 private:
  archive::IndexerOptions index_options();
  void start_sealer(Instant now);
  gateway::Memory recall();
  void note_recovery(Instant now);
  std::filesystem::path own_file(std::string_view suffix) const;

  const gateway::Config& config_;
  journal::KeyStore& keys_;
  net::Log& log_;
  std::optional<gateway::MemoryKeeper> keeper_;  // used on the indexer's thread
  archive::Indexer indexer_;
  std::unique_ptr<seal::SignerClient> signer_;
  std::vector<std::unique_ptr<witness::HttpCosigner>> witnesses_;
  std::optional<serve::CheckpointKeys> checkpoint_keys_;
  std::unique_ptr<seal::Sealer> sealer_;
  serve::Durability durability_;
  serve::Fanout fanout_;
  journal::Opened opened_;
  gateway::Stats stats_;
  std::optional<gateway::Conversations> conversations_;
  std::optional<gateway::Recorder> journal_recorder_;
  std::optional<SeenRecorder> recorder_;
  bool is_closed_ = false;
};

}  // namespace chancery::app::watch
