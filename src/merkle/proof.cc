#include "merkle/proof.h"

namespace chancery::merkle {
namespace {

class ProofCategory : public std::error_category {
 public:
  const char* name() const noexcept override { return "merkle proof"; }
  std::string message(int value) const override {
    switch (static_cast<ProofError>(value)) {
      case ProofError::out_of_range:
        return "index or size outside the tree";
      case ProofError::wrong_length:
        return "the proof has the wrong number of hashes";
      case ProofError::mismatch:
        return "the proof leads to another root";
      case ProofError::missing_node:
        return "a node of the tree is missing";
    }
    return "unknown error";
  }
};

// The hash of leaves [begin, end), a range that RFC 6962's recursion reaches.
std::expected<Hash, std::error_code> range_hash(std::uint64_t begin, std::uint64_t end, const NodeReader& nodes) {
  std::vector<Hash> hashes;
  for (const NodeId id : nodes_of(begin, end)) {
    const auto hash = nodes(id);
    if (!hash) return std::unexpected(hash.error());
    hashes.push_back(*hash);
  }
  return join(hashes);
}

// The largest power of two below `size` (RFC 6962 §2.1: "k"). size > 1.
std::uint64_t split(std::uint64_t size) { return std::bit_floor(size - 1); }

// The sibling subtrees met on the way from the root of [0, size) down to a subtree, root's child first.
struct Step {
  std::uint64_t begin, end;
};

std::expected<Proof, std::error_code> hashes_of(std::span<const Step> steps, const NodeReader& nodes) {
  Proof proof;
  for (std::size_t i = steps.size(); i-- > 0;) {  // proofs run from the leaf upwards
    const auto hash = range_hash(steps[i].begin, steps[i].end, nodes);
    if (!hash) return std::unexpected(hash.error());
    proof.push_back(*hash);
  }
  return proof;
}

}  // namespace

std::error_code make_error_code(ProofError error) {
  static const ProofCategory category;
  return {static_cast<int>(error), category};
}

std::expected<Hash, std::error_code> root_of(std::uint64_t size, const NodeReader& nodes) {
  if (size == 0) return empty_root();
  return range_hash(0, size, nodes);
}

std::expected<Proof, std::error_code> make_inclusion_proof(std::uint64_t index, std::uint64_t size,
                                                           const NodeReader& nodes) {
  if (index >= size) return std::unexpected(ProofError::out_of_range);
  std::vector<Step> steps;
  std::uint64_t begin = 0, end = size;
  while (end - begin > 1) {
    const std::uint64_t middle = begin + split(end - begin);
    if (index < middle) {
      steps.push_back({middle, end});
      end = middle;
    } else {
      steps.push_back({begin, middle});
      begin = middle;
    }
  }
  return hashes_of(steps, nodes);
}

// RFC 6962 §2.1.2, SUBPROOF: walk down to the old tree's last complete subtree; that subtree's own hash is left out
// when it is the whole old tree, because the verifier knows its root.
std::expected<Proof, std::error_code> make_consistency_proof(std::uint64_t old_size, std::uint64_t size,
                                                             const NodeReader& nodes) {
  if (old_size > size) return std::unexpected(ProofError::out_of_range);
  if (old_size == 0 || old_size == size) return Proof{};
  std::vector<Step> steps;
  std::uint64_t begin = 0, end = size;
  while (end != old_size) {
    const std::uint64_t middle = begin + split(end - begin);
    if (old_size <= middle) {
      steps.push_back({middle, end});
      end = middle;
    } else {
      steps.push_back({begin, middle});
      begin = middle;
    }
  }
  if (begin != 0) steps.push_back({begin, end});
  return hashes_of(steps, nodes);
}

// RFC 9162 §2.1.3.2.
std::expected<Hash, std::error_code> root_from_inclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf_hash,
                                                         std::span<const Hash> proof) {
  if (index >= size) return std::unexpected(ProofError::out_of_range);
  std::uint64_t node = index, last = size - 1;
  Hash hash = leaf_hash;
  for (const Hash& sibling : proof) {
    if (last == 0) return std::unexpected(ProofError::wrong_length);
    if ((node & 1) != 0 || node == last) {
      hash = node_hash(sibling, hash);
      while ((node & 1) == 0 && node != 0) node >>= 1, last >>= 1;
    } else {
      hash = node_hash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return std::unexpected(ProofError::wrong_length);
  return hash;
}

std::error_code check_inclusion(std::uint64_t index, std::uint64_t size, const Hash& leaf_hash,
                                std::span<const Hash> proof, const Hash& root) {
  const auto reached = root_from_inclusion(index, size, leaf_hash, proof);
  if (!reached) return reached.error();
  return *reached == root ? std::error_code{} : ProofError::mismatch;
}

// RFC 9162 §2.1.4.2; the cases that need no proof first.
std::error_code check_consistency(std::uint64_t old_size, std::uint64_t size, const Hash& old_root, const Hash& root,
                                  std::span<const Hash> proof) {
  if (old_size == 0 || old_size > size) return ProofError::out_of_range;
  if (old_size == size) {
    if (!proof.empty()) return ProofError::wrong_length;
    return old_root == root ? std::error_code{} : ProofError::mismatch;
  }
  if (proof.empty()) return ProofError::wrong_length;
  std::uint64_t node = old_size - 1, last = size - 1;
  while ((node & 1) != 0) node >>= 1, last >>= 1;
  // An old tree that is one perfect subtree starts the walk itself.
  Hash old_hash = node == 0 ? old_root : proof.front();
  if (node != 0) proof = proof.subspan(1);
  Hash hash = old_hash;
  for (const Hash& sibling : proof) {
    if (last == 0) return ProofError::wrong_length;
    if ((node & 1) != 0 || node == last) {
      old_hash = node_hash(sibling, old_hash);
      hash = node_hash(sibling, hash);
      while ((node & 1) == 0 && node != 0) node >>= 1, last >>= 1;
    } else {
      hash = node_hash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return ProofError::wrong_length;
  return old_hash == old_root && hash == root ? std::error_code{} : ProofError::mismatch;
}

}  // namespace chancery::merkle
