// Proofs of arbitrary length for arbitrary sizes: they end, and a proof that holds has no second reading of its size.
#include <cstdlib>
#include <cstring>

#include "merkle/proof.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  using namespace chancery::merkle;
  std::uint64_t first = 0, second = 0;
  if (size < 16) return 0;
  std::memcpy(&first, data, 8);
  std::memcpy(&second, data + 8, 8);
  Proof proof;
  for (std::size_t at = 16; at + 32 <= size; at += 32) {
    Hash hash;
    std::memcpy(hash.data(), data + at, 32);
    proof.push_back(hash);
  }
  const Hash leaf = leaf_hash("fuzz");
  if (const auto root = root_from_inclusion(first, second, leaf, proof)) {
    if (check_inclusion(first, second, leaf, proof, *root)) std::abort();
    proof.push_back(leaf);
    if (root_from_inclusion(first, second, leaf, proof)) std::abort();
    proof.pop_back();
  }
  (void)check_consistency(first, second, leaf, empty_root(), proof);
  return 0;
}
