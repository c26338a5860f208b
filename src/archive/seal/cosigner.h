#pragma once
// A witness, as the sealer sees it.
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "merkle/checkpoint.h"

namespace chancery::seal {

struct CosignFailure {
  std::optional<std::uint64_t> conflict;  // the witness saw a tree of this size last; ask again from there
  std::string what;                       // for the operator
};

class Cosigner {
 public:
  virtual ~Cosigner() = default;
  virtual const merkle::VerifierKey& key() const = 0;  // type cosignature
  // Blocks for at most the implementation's timeout. One thread.
  virtual std::expected<std::vector<merkle::NoteSignature>, CosignFailure> add_checkpoint(
      const merkle::AddCheckpoint& request) = 0;
};

}  // namespace chancery::seal
