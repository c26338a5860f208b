#pragma once
// Inclusion and consistency proofs, RFC 6962 §2.1.1 and §2.1.2: how they are made from nodes, and how they are checked
// (by the iterative algorithms of RFC 9162 §2.1.3.2 and §2.1.4.2, which accept exactly the proofs of RFC 6962).
#include <cstdint>
#include <expected>
#include <functional>
#include <span>
#include <system_error>
#include <vector>

#include "merkle/tree.h"

namespace chancery::merkle {

enum class ProofError {
  out_of_range = 1,  // an index or size that the tree does not have
  wrong_length,      // more or fewer hashes than that index and size call for
  mismatch,          // the hashes lead to another root
  missing_node,      // a node needed to make the proof could not be had
};
std::error_code make_error_code(ProofError error);

using Proof = std::vector<Hash>;
inline constexpr std::size_t kProofHashesMax = 64;  // no tree of fewer than 2^64 leaves needs more

// Looks up the hash of a perfect node, e.g. in tiles.
using NodeReader = std::function<std::expected<Hash, std::error_code>(NodeId)>;

// The root of the first `size` leaves; the empty tree needs no node.
std::expected<Hash, std::error_code> root_of(std::uint64_t size, const NodeReader& nodes);

// Proof that leaf `index` is in the tree of `size` leaves: sibling of the leaf first. index < size.
std::expected<Proof, std::error_code> make_inclusion_proof(std::uint64_t index, std::uint64_t size,
                                                           const NodeReader& nodes);
// Proof that the tree of `old_size` leaves is a prefix of the one of `size`. Empty when old_size is 0 or size.
std::expected<Proof, std::error_code> make_consistency_proof(std::uint64_t old_size, std::uint64_t size,
                                                             const NodeReader& nodes);

// The root that a proof leads to, to compare with a trusted one.
std::expected<Hash, std::error_code> root_from_inclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf_hash,
                                                         std::span<const Hash> proof);
// No error: proven.
std::error_code check_inclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf_hash,
                                std::span<const Hash> proof, const Hash& root);
// old_size must not be 0 (RFC 6962 §2.1.2: 0 < m): every tree follows the empty one, and there is nothing to prove.
std::error_code check_consistency(std::uint64_t old_size, std::uint64_t size, const Hash& old_root, const Hash& root,
                                  std::span<const Hash> proof);

}  // namespace chancery::merkle

template <>
struct std::is_error_code_enum<chancery::merkle::ProofError> : std::true_type {};
