#include "archive/seal/sealer.h"

#include <algorithm>
#include <fmt/format.h>

namespace chancery::seal {
namespace {

constexpr unsigned kWitnessRoundsSkippedMax = 60;  // a witness out of reach is asked about once a minute
constexpr int kSignAttempts = 2;                   // the second after learning what the signer signed last

}  // namespace

Sealer::Sealer(SealerOptions options) : options_(std::move(options)), tiles_(*options_.disk, options_.folder) {
  for (Cosigner* cosigner : options_.witnesses) {
    witnesses_.push_back({cosigner});
    witness_status_.push_back({.name = cosigner->key().name});
  }
}

Sealer::~Sealer() { stop(); }

void Sealer::start(std::uint64_t durable_size) {
  {
    const std::lock_guard lock{mutex_};
    durable_size_ = std::max(durable_size_, durable_size);
  }
  thread_ = std::thread{[this] { run(); }};
}

void Sealer::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  news_.notify_all();
  if (thread_.joinable()) thread_.join();
}

SealerStatus Sealer::status() const { return {sealed_, published_, witnessed_, failed_}; }

std::vector<WitnessStatus> Sealer::witnesses() const {
  const std::lock_guard lock{mutex_};
  return witness_status_;
}

void Sealer::on_durable(std::span<const journal::Durable> group) {
  if (group.empty()) return;
  const std::lock_guard lock{mutex_};
  const std::uint64_t first = group.front().index;
  // Not the next one, or too many: the sealer reads them from the journal's files instead.
  if (queue_.size() + group.size() > kLeavesQueuedMax || (!queue_.empty() && first != queue_first_ + queue_.size()))
    queue_.clear();
  else {
    if (queue_.empty()) queue_first_ = first;
    for (const journal::Durable& durable : group) queue_.push_back(durable.leaf);
  }
  durable_size_ = std::max(durable_size_, group.back().index + 1);
}

void Sealer::on_failed(std::error_code, std::uint64_t durable_size) {
  const std::lock_guard lock{mutex_};
  durable_size_ = std::max(durable_size_, durable_size);
}

void Sealer::run() {
  while (!failed_) {
    const bool good = step();
    std::unique_lock lock{mutex_};
    if (!stopping_) news_.wait_for(lock, options_.interval, [this] { return stopping_; });
    // One more round after the journal was closed; what does not work then is found at the next start.
    if (stopping_ && (!good || published_ == durable_size_)) return;
  }
}

bool Sealer::step() {
  if (!checkpoints_ && !open()) return false;
  if (!seal()) return false;
  if (tiles_.size() == published_) return true;
  return publish();
}

bool Sealer::problem(const std::string& what) {
  if (what != last_problem_) options_.on_problem(what);
  last_problem_ = what;
  return false;
}

bool Sealer::give_up(const std::string& what) {
  failed_ = true;
  return problem(what + "; sealing has stopped");
}

// After a start, and after any failed write: nothing kept in memory is trusted.
bool Sealer::open() {
  auto store = CheckpointStore::open(*options_.disk, options_.folder);
  if (!store) return problem(store.error());
  const merkle::TreeHead head = store->newest() ? store->newest()->head : merkle::TreeHead{0, merkle::empty_root()};
  std::uint64_t durable_size = 0;
  {
    const std::lock_guard lock{mutex_};
    durable_size = durable_size_;
  }
  if (head.size > durable_size)
    return give_up(fmt::format("checkpoint: it covers {} records, the journal has {}", head.size, durable_size));
  if (!tiles_.resume(head.size, head.root)) {
    tiles_.reset();
    if (!read_leaves(head.size)) return false;
    if (tiles_.root() != head.root)
      return give_up(fmt::format("checkpoint: the journal's first {} records do not lead to its root", head.size));
  }
  tiles_.remove_stale(head.size, head.size, durable_size);
  published_ = head.size;
  signed_size_ = head.size;
  for (Witness& witness : witnesses_) witness.size = std::max(witness.size, head.size);
  checkpoints_ = std::make_unique<CheckpointStore>(std::move(*store));
  return true;
}

bool Sealer::seal() {
  std::vector<LeafOctets> leaves;
  std::uint64_t first = 0, durable_size = 0;
  {
    const std::lock_guard lock{mutex_};
    leaves.swap(queue_);
    first = queue_first_;
    durable_size = durable_size_;
  }
  if (leaves.empty() || first > tiles_.size() || first + leaves.size() < durable_size) return read_leaves(durable_size);
  for (std::uint64_t i = tiles_.size() - first; i < leaves.size(); ++i)
    if (const auto error = tiles_.append(merkle::leaf_hash({leaves[i].data(), leaves[i].size()}))) {
      checkpoints_.reset();
      return tiles_.sync_failed() ? give_up("tiles: " + error.message()) : problem("tiles: " + error.message());
    }
  sealed_ = tiles_.size();
  return true;
}

bool Sealer::read_leaves(std::uint64_t end) {
  if (tiles_.size() >= end) return true;
  std::error_code error;
  const auto failed = options_.leaves(tiles_.size(), end, [&](Bytes leaf) {
    if (!error) error = tiles_.append(merkle::leaf_hash(leaf));
  });
  if (!failed && !error && tiles_.size() == end) {
    sealed_ = end;
    return true;
  }
  checkpoints_.reset();
  if (tiles_.sync_failed()) return give_up("tiles: " + error.message());
  return problem(error ? "tiles: " + error.message() : "journal: leaves cannot be read: " + failed.message());
}

bool Sealer::publish() {
  const std::uint64_t size = tiles_.size();
  const merkle::TreeHead head{size, tiles_.root()};
  if (const auto error = tiles_.flush()) {
    checkpoints_.reset();
    return tiles_.sync_failed() ? give_up("tiles: " + error.message()) : problem("tiles: " + error.message());
  }
  if (!turns_ && !learn_keys()) return false;
  const auto note = sign();
  if (!note) return false;
  const std::uint64_t witnessed_before = witnessed_;
  const Buffer whole = cosigned(*note, head.root, size);
  if (const auto error = checkpoints_->publish(whole, head)) {
    const bool sync_failed = checkpoints_->sync_failed();
    checkpoints_.reset();
    witnessed_ = witnessed_before;
    return sync_failed ? give_up("checkpoint: " + error.message()) : problem("checkpoint: " + error.message());
  }
  tiles_.remove_stale(published_, size, size);
  published_ = size;
  last_problem_.clear();
  return true;
}

bool Sealer::learn_keys() {
  auto turns = options_.keys();
  if (!turns) return problem(turns.error());
  turns_ = std::move(*turns);
  return true;
}

// The newest key whose record is published already: the one before it vouches for it by signing that checkpoint.
std::optional<std::uint32_t> Sealer::key_id() const {
  std::optional<std::uint32_t> id;
  for (const KeyTurn& turn : *turns_)
    if (turn.published <= published_) id = turn.key_id;
  return id;
}

std::optional<Buffer> Sealer::sign() {
  for (int attempt = 0; attempt < kSignAttempts; ++attempt) {
    const auto proof = merkle::make_consistency_proof(signed_size_, tiles_.size(), tiles_.nodes());
    if (!proof) {
      problem("tiles: " + proof.error().message());
      checkpoints_.reset();
      return std::nullopt;
    }
    auto note = options_.signer->sign(
        {options_.origin, {tiles_.size(), tiles_.root()}, checkpoints_->previous(), signed_size_, *proof, key_id()});
    if (note) {
      signed_size_ = tiles_.size();
      return std::move(*note);
    }
    const SignFailure& failure = note.error();
    if (!failure.is_refusal) {
      problem(failure.what);
      return std::nullopt;
    }
    if (failure.refused.why == Refusal::unknown_key) {
      problem(
          "signer: it does not hold the key whose turn it is; `chancery keys show --signer-key` shows what it holds");
      return std::nullopt;
    }
    if (failure.refused.why != Refusal::conflict || failure.refused.size > tiles_.size()) {
      give_up(fmt::format("the signer refuses a tree of {} records ({}); it signed one of {} before", tiles_.size(),
                          failure.what, failure.refused.size));
      return std::nullopt;
    }
    signed_size_ = failure.refused.size;
  }
  problem("signer: it keeps naming other sizes");
  return std::nullopt;
}

// A witness that does not answer never holds up publishing for longer than its timeout, and is then left alone for a
// while.
Buffer Sealer::cosigned(const Buffer& octets, const Hash&, std::uint64_t size) {
  auto note = merkle::parse_note(octets);
  if (!note) return octets;
  for (std::size_t i = 0; i < witnesses_.size(); ++i) {
    Witness& witness = witnesses_[i];
    if (witness.skip > 0) {
      --witness.skip;
      continue;
    }
    const bool is_cosigned = ask(witness, *note, size);
    {
      const std::lock_guard lock{mutex_};
      WitnessStatus& status = witness_status_[i];
      ++(is_cosigned ? status.cosigned : status.failed);
      if (is_cosigned) status.size = size;
    }
    if (is_cosigned) {
      witness.failures = 0;
      witnessed_ = size;
    } else {
      witness.failures = std::min(witness.failures + 1, 6U);
      witness.skip = std::min((1U << witness.failures) - 1, kWitnessRoundsSkippedMax);
    }
  }
  return note->encode();
}

bool Sealer::ask(Witness& witness, merkle::Note& note, std::uint64_t size) {
  const std::string& name = witness.cosigner->key().name;
  // Only the log's own signature: what other witnesses said is none of its business.
  const Buffer checkpoint = merkle::Note{note.text, {note.signatures.front()}}.encode();
  for (int attempt = 0; attempt < kSignAttempts; ++attempt) {
    const auto proof = merkle::make_consistency_proof(witness.size, size, tiles_.nodes());
    if (!proof) return problem("witness " + name + ": it saw more of this log than there is");
    const auto signatures = witness.cosigner->add_checkpoint({witness.size, *proof, checkpoint});
    if (signatures) {
      for (const merkle::NoteSignature& signature : *signatures) {
        if (!merkle::check({note.text, {signature}}, witness.cosigner->key()).is_valid()) continue;
        note.signatures.push_back(signature);
        witness.size = size;
        return true;
      }
      return problem("witness " + name + ": its answer has no valid cosignature");
    }
    const CosignFailure& failure = signatures.error();
    if (!failure.conflict || *failure.conflict > size) return problem("witness " + name + ": " + failure.what);
    witness.size = *failure.conflict;
  }
  return problem("witness " + name + ": it keeps naming other sizes");
}

}  // namespace chancery::seal
