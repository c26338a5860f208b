#include "journal/key_tree.h"

#include <algorithm>
#include <bit>

namespace chancery::journal {
namespace {

constexpr Bytes kLeftLabel = "chancery/1/ggm/0";
constexpr Bytes kRightLabel = "chancery/1/ggm/1";
constexpr Bytes kSaltLabel = "chancery/1/salt";
constexpr Bytes kKeyLabel = "chancery/1/aead";

// Whether the path to `leaf` goes right below depth `depth`.
bool goes_right(std::uint32_t leaf, std::uint32_t depth) { return (leaf >> (kTreeDepth - 1 - depth) & 1) != 0; }

void descend(Crypto& crypto, bool right, const Secret& parent, Secret& child) {
  crypto.derive(right ? kRightLabel : kLeftLabel, parent, child);
}

// The siblings on the path from `node` to `leaf`, by position.
KeyNodes siblings(Crypto& crypto, const KeyNode& node, std::uint32_t leaf) {
  KeyNodes left, right;
  Secret path = node.secret;
  std::uint32_t position = node.position;
  for (std::uint32_t depth = node.depth; depth < kTreeDepth; ++depth) {
    const bool is_right = goes_right(leaf, depth);
    KeyNode sibling{static_cast<std::uint8_t>(depth + 1), position * 2 + (is_right ? 0 : 1), {}};
    descend(crypto, !is_right, path, sibling.secret);
    (is_right ? left : right).push_back(sibling);
    descend(crypto, is_right, path, path);
    position = position * 2 + (is_right ? 1 : 0);
  }
  left.insert(left.end(), right.rbegin(), right.rend());
  return left;
}

}  // namespace

bool is_valid(const KeyNodes& nodes) {
  std::uint64_t end = 0;
  for (const KeyNode& node : nodes) {
    if (node.depth > kTreeDepth || node.position >> node.depth != 0 || node.first_leaf() < end) return false;
    end = node.end_leaf();
  }
  return true;
}

KeyNodes punctured(Crypto& crypto, const KeyNodes& nodes, std::uint32_t leaf) {
  KeyNodes out;
  for (const KeyNode& node : nodes) {
    if (leaf < node.first_leaf() || leaf >= node.end_leaf()) {
      out.push_back(node);
      continue;
    }
    const KeyNodes rest = siblings(crypto, node, leaf);
    out.insert(out.end(), rest.begin(), rest.end());
  }
  return out;
}

const KeyNode* KeyTree::covering(std::uint32_t leaf) const {
  const auto after = std::ranges::upper_bound(nodes_, leaf, {}, &KeyNode::first_leaf);
  if (after == nodes_.begin()) return nullptr;
  const KeyNode& node = *std::prev(after);
  return leaf < node.end_leaf() ? &node : nullptr;
}

bool KeyTree::keys_of(Crypto& crypto, std::uint32_t leaf, RecordKeys& out) {
  const KeyNode* node = covering(leaf);
  if (node == nullptr) return false;
  std::uint32_t known = node->depth;
  if (node == from_) {
    // The path is shared down to the highest bit in which the two leaves differ.
    const auto shared = kTreeDepth - static_cast<std::uint32_t>(std::bit_width(leaf ^ at_));
    known = std::max(known, shared);
  } else {
    path_[node->depth] = node->secret;
    from_ = node;
  }
  for (std::uint32_t depth = known; depth < kTreeDepth; ++depth)
    descend(crypto, goes_right(leaf, depth), path_[depth], path_[depth + 1]);
  at_ = leaf;
  crypto.derive(kSaltLabel, path_[kTreeDepth], out.salt);
  crypto.derive(kKeyLabel, path_[kTreeDepth], out.key);
  return true;
}

}  // namespace chancery::journal
