#pragma once
// The shape of the tree, and the hashes of [0, size) as they grow. A *node* (level, index) is the root of the perfect
// subtree over leaves [index << level, (index + 1) << level); level 0 is the leaf hashes. The root of a tree whose
// size is not a power of two joins such nodes ("peaks") from right to left (RFC 6962 §2.1).
#include <bit>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "merkle/hash.h"

namespace chancery::merkle {

struct NodeId {
  unsigned level = 0;
  std::uint64_t index = 0;
  auto operator<=>(const NodeId&) const = default;
};

// The perfect subtrees that [begin, end) falls into, left to right. `begin` must be a multiple of the largest power of
// two not above `end - begin`'s ceiling: true for every range that RFC 6962 splits into.
std::vector<NodeId> nodes_of(std::uint64_t begin, std::uint64_t end);

// The hash of a range from the hashes of its `nodes_of`, which must not be empty.
Hash join(std::span<const Hash> nodes);

// The tree of the first `size()` leaves, kept as its peaks: at most 64 hashes, whatever the size.
class CompactRange {
 public:
  // Told of each perfect node as soon as it is complete, leaves included, children before parents.
  using OnNode = std::function<void(NodeId, const Hash&)>;

  CompactRange() = default;
  // From peaks kept before: `peaks` are the hashes of nodes_of(0, size). Wrong number of them: nullopt.
  static std::optional<CompactRange> resume(std::uint64_t size, std::vector<Hash> peaks);

  void append(const Hash& leaf_hash) {
    append(leaf_hash, [](NodeId, const Hash&) {});
  }
  template <class Visitor>
  void append(const Hash& leaf_hash, Visitor&& on_node);

  std::uint64_t size() const { return size_; }
  std::span<const Hash> peaks() const { return peaks_; }
  Hash root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> peaks_;  // largest subtree first
};

template <class Visitor>
void CompactRange::append(const Hash& leaf_hash, Visitor&& on_node) {
  on_node(NodeId{0, size_}, leaf_hash);
  Hash hash = leaf_hash;
  // Each trailing 1 bit of the size is a perfect subtree that this leaf completes into the next larger one.
  const auto merges = static_cast<unsigned>(std::countr_one(size_));
  for (unsigned level = 1; level <= merges; ++level) {
    hash = node_hash(peaks_.back(), hash);
    peaks_.pop_back();
    on_node(NodeId{level, size_ >> level}, hash);
  }
  peaks_.push_back(hash);
  ++size_;
}

}  // namespace chancery::merkle
