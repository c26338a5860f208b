#pragma once
// The GGM tree of keys of one segment; docs/formats/journal.md, "Encryption". A node is a secret from which all below
// it follow; a tree is given by nodes that do not overlap, and what none of them covers is erased.
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "journal/crypto.h"

namespace chancery::journal {

inline constexpr std::uint32_t kTreeDepth = 20;
inline constexpr std::uint32_t kTreeLeaves = 1U << kTreeDepth;

struct KeyNode {
  std::uint8_t depth = 0;      // 0 = root … kTreeDepth = leaf
  std::uint32_t position = 0;  // in its depth, from the left
  Secret secret;
  bool operator==(const KeyNode&) const = default;
  std::uint32_t first_leaf() const { return position << (kTreeDepth - depth); }
  std::uint64_t end_leaf() const { return (std::uint64_t{position} + 1) << (kTreeDepth - depth); }
};
using KeyNodes = std::vector<KeyNode>;  // by first_leaf, not overlapping

// Whether the nodes are in range, in order and do not overlap.
bool is_valid(const KeyNodes& nodes);

// The nodes from which every leaf but `leaf` follows as before: erasure. Unchanged if `leaf` is erased already.
KeyNodes punctured(Crypto& crypto, const KeyNodes& nodes, std::uint32_t leaf);

struct RecordKeys {
  Secret salt;
  Secret key;
};

// Walks one tree. Neighbours share most of their path, which is kept: going through the leaves in order costs two
// hashes a leaf and two for the keys.
class KeyTree {
 public:
  explicit KeyTree(KeyNodes nodes) : nodes_(std::move(nodes)) {}
  explicit KeyTree(const Secret& seed) : nodes_{{0, 0, seed}} {}
  KeyTree(const KeyTree&) = delete;  // from_ points into nodes_
  KeyTree& operator=(const KeyTree&) = delete;
  // False: erased. `leaf` < kTreeLeaves.
  bool keys_of(Crypto& crypto, std::uint32_t leaf, RecordKeys& out);

 private:
  const KeyNode* covering(std::uint32_t leaf) const;

  KeyNodes nodes_;
  // path_[d] is the node of depth d above leaf `at_`, for from_->depth ≤ d ≤ kTreeDepth.
  std::array<Secret, kTreeDepth + 1> path_;
  std::uint32_t at_ = 0;
  const KeyNode* from_ = nullptr;
};

}  // namespace chancery::journal
