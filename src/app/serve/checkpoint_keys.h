#pragma once
// The public keys that a log's checkpoints are signed by: its file `log.vkey`, and how another key is taken up without
// a break in what an auditor can follow. docs/formats/checkpoint.md, "Another key".
#include <condition_variable>
#include <expected>
#include <mutex>
#include <string>
#include <vector>

#include "archive/seal/head_signer.h"
#include "archive/seal/sealer.h"
#include "journal/open.h"
#include "net/log.h"

namespace chancery::app::serve {

// Waits for the journal. An observer like any other.
class Durability final : public journal::Observer {
 public:
  void on_durable(std::span<const journal::Durable> group) override;
  void on_failed(std::error_code why, std::uint64_t durable_size) override;
  // Until every record below `size` is durable; false: the journal failed.
  bool wait(std::uint64_t size);

 private:
  std::mutex mutex_;
  std::condition_variable news_;
  std::uint64_t size_ = 0;
  bool failed_ = false;
};

class CheckpointKeys {
 public:
  // All must outlive this. `folder`: of the log.
  CheckpointKeys(std::string folder, std::string origin, seal::HeadSigner& signer, net::Log& log)
      : folder_(std::move(folder)), origin_(std::move(origin)), signer_(signer), log_(log) {}

  // Before the sealer starts, on the thread that appends. Writes `log.vkey` for a new log; where the signer holds a
  // next key, puts it on the record (durable before this returns), then into the file. A signer that does not answer is
  // only logged. Throws Failure when the signer holds none of the log's keys.
  void take_up(journal::Journal& journal, journal::Recovery& recovery, Durability& durability, Instant now);

  // For seal::SealerOptions::keys: which key signs from when on.
  std::expected<std::vector<seal::KeyTurn>, std::string> turns();

  // What the signer held when it was asked, as vkeys; empty: it did not answer.
  const std::vector<std::string>& held() const { return held_; }

 private:
  std::string file() const { return folder_ + "/log.vkey"; }
  std::vector<merkle::VerifierKey> known() const;  // throws Failure
  void write(const Buffer& text) const;            // throws Failure
  void begin(const merkle::VerifierKey& first);
  std::optional<std::uint64_t> record_of(const Hash& key_file) const;
  bool newest_is_signed_by(const merkle::VerifierKey& key) const;

  std::string folder_, origin_;
  seal::HeadSigner& signer_;
  net::Log& log_;
  std::vector<std::string> held_;
};

}  // namespace chancery::app::serve
