#pragma once
// Whoever signs tree heads, as the sealer sees him: in another process (SignerClient), or here in tests.
#include <expected>
#include <optional>
#include <string>

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
  // The public key that signs for this origin: the line for `log.vkey`.
  virtual std::expected<merkle::VerifierKey, SignFailure> verifier(const std::string& origin) = 0;
};

}  // namespace chancery::seal
