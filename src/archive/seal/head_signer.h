#pragma once
// Whoever signs tree heads, as the sealer sees him: in another process (SignerClient), or here in tests.
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "archive/seal/signer_core.h"

namespace chancery::seal {

struct SignFailure {
  bool is_refusal = false;  // the signer answered and said no; otherwise it could not be reached
  Refused refused;          // with is_refusal
  std::string what;         // for the operator
};

class HeadSigner {
 public:
  virtual ~HeadSigner() = default;
  // Blocks for at most the implementation's timeout. One thread.
  virtual std::expected<Buffer, SignFailure> sign(const SignRequest& request) = 0;
  // The public keys that can sign for this origin, oldest first: the lines for `log.vkey`. At least one.
  virtual std::expected<std::vector<merkle::VerifierKey>, SignFailure> verifiers(const std::string& origin) = 0;
  std::expected<merkle::VerifierKey, SignFailure> verifier(const std::string& origin) {
    const auto all = verifiers(origin);
    if (!all) return std::unexpected(all.error());
    return all->front();
  }
};

}  // namespace chancery::seal
