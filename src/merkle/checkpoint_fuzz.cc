// Checkpoints, tlog-proofs and add-checkpoint requests: what parses is written again octet for octet.
#include <cstdlib>

#include "merkle/checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  const Bytes input{reinterpret_cast<const char*>(data), size};
  if (const auto checkpoint = merkle::Checkpoint::parse(input)) {
    if (checkpoint->text() != input) std::abort();
    if (const auto lines = merkle::Extensions::parse(checkpoint->extensions))
      if (lines->lines() != checkpoint->extensions) std::abort();
  }
  if (const auto proof = merkle::InclusionProof::parse(input); proof && proof->encode() != input) std::abort();
  if (const auto request = merkle::AddCheckpoint::parse(input); request && request->encode() != input) std::abort();
  return 0;
}
