#pragma once
// Seals what is journaled: takes leaves in index order, builds the tree and its tiles, and each second while there is
// news publishes a checkpoint, cosigned by the witnesses that answer. On a thread of its own; nothing here ever makes
// the journal wait. The archive is safe at every point of it: tiles can be made again, and a checkpoint is published
// only over records and tiles that are durable.
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "archive/seal/checkpoint_store.h"
#include "archive/seal/cosigner.h"
#include "archive/seal/head_signer.h"
#include "archive/seal/tile_store.h"
#include "journal/journal.h"

namespace chancery::seal {

inline constexpr std::size_t kLeavesQueuedMax = 1U << 18;  // 25 MiB; above, the sealer reads from the journal's files

// Gives `visit` the leaf (100 octets) of each index from `first` up to and without `end`, in order. Called on the
// sealer's thread; journal_leaves() makes one from a log folder.
using LeafSource = std::function<std::error_code(std::uint64_t first, std::uint64_t end,
                                                 const std::function<void(Bytes leaf)>& visit)>;

// From which published size on which key signs.
struct KeyTurn {
  std::uint32_t key_id = 0;
  std::uint64_t published = 0;  // the record that names the key is under a checkpoint of this size or more
};

// What signs, oldest first; empty: the signer's first key. Asked on the sealer's thread before the first checkpoint,
// and again as long as it fails; sees to it that `log.vkey` is there. The error is a sentence.
using KeySource = std::function<std::expected<std::vector<KeyTurn>, std::string>()>;

struct SealerOptions {
  journal::Disk* disk = nullptr;  // must outlive the sealer, as all below
  std::string folder;             // ARCHIVE/logs/<origin>
  std::string origin;
  HeadSigner* signer = nullptr;      // used on the sealer's thread only
  std::vector<Cosigner*> witnesses;  // likewise
  LeafSource leaves;
  KeySource keys = [] { return std::vector<KeyTurn>{}; };
  std::chrono::milliseconds interval{1000};  // between checkpoints while there is news
  // Told on the sealer's thread when something does not work (signer or witness out of reach, disk full) and again
  // only when it says something else. Never message text.
  std::function<void(const std::string&)> on_problem = [](const std::string&) {};
};

// For metrics; any thread.
struct SealerStatus {
  std::uint64_t sealed = 0;     // size of the tree
  std::uint64_t published = 0;  // under a checkpoint
  std::uint64_t witnessed = 0;  // … that at least one witness cosigned
  bool failed = false;          // stopped for good: a sync failed, or journal and checkpoint contradict each other
};

// One configured witness, for metrics.
struct WitnessStatus {
  std::string name;            // of its key
  std::uint64_t size = 0;      // records under the checkpoint that it cosigned last
  std::uint64_t cosigned = 0;  // checkpoints
  std::uint64_t failed = 0;    // times that it gave no valid cosignature
};

class Sealer : public journal::Observer {
 public:
  explicit Sealer(SealerOptions options);
  ~Sealer() override;  // publishes what is left, once, and stops

  // `durable_size`: Journal::durable_size() after it was opened. Leaves reported meanwhile are not lost.
  void start(std::uint64_t durable_size);
  // Tries to publish all that is durable, then ends the thread. Idempotent. Call after Journal::close().
  void stop();
  SealerStatus status() const;
  std::vector<WitnessStatus> witnesses() const;  // any thread; in the order of the options

  void on_durable(std::span<const journal::Durable> group) override;
  void on_failed(std::error_code why, std::uint64_t durable_size) override;

 private:
  using LeafOctets = std::array<char, kLeafSize>;

  void run();
  bool step();  // one round: seal, then publish; false: it did not work
  bool open();  // from what lies on disk
  bool seal();  // every durable leaf
  bool read_leaves(std::uint64_t end);
  bool publish();
  bool problem(const std::string& what);
  bool give_up(const std::string& what);
  bool learn_keys();
  std::optional<std::uint32_t> key_id() const;
  std::optional<Buffer> sign();
  Buffer cosigned(const Buffer& note, const Hash& root, std::uint64_t size);

  struct Witness {
    Cosigner* cosigner = nullptr;
    std::uint64_t size = 0;  // what it saw last
    unsigned skip = 0;       // rounds to leave it alone
    unsigned failures = 0;
  };
  bool ask(Witness& witness, merkle::Note& note, std::uint64_t size);

  SealerOptions options_;
  std::unique_ptr<CheckpointStore> checkpoints_;
  TileStore tiles_;
  std::vector<Witness> witnesses_;
  std::optional<std::vector<KeyTurn>> turns_;
  std::uint64_t signed_size_ = 0;  // what the signer is thought to have signed last
  std::string last_problem_;

  std::atomic<std::uint64_t> sealed_{0}, published_{0}, witnessed_{0};
  std::atomic<bool> failed_{false};

  mutable std::mutex mutex_;
  std::vector<WitnessStatus> witness_status_;
  std::condition_variable news_;
  std::vector<LeafOctets> queue_;  // leaves from queue_first_ on
  std::uint64_t queue_first_ = 0;
  std::uint64_t durable_size_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

// Leaves from the segments of a log.
LeafSource journal_leaves(journal::Disk& disk, std::string folder);

}  // namespace chancery::seal
