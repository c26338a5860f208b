#include "journal/key_tree.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

#include "core/encoding.h"

namespace chancery::journal {
namespace {

Secret seed() {
  Secret secret;
  for (std::uint8_t i = 0; i < Secret::kSize; ++i) secret.data()[i] = i;
  return secret;
}

std::string hex(const Secret& secret) { return to_hex(secret.bytes()); }

// docs/formats/journal.md, "Encryption", word for word and without any cache.
RecordKeys reference(std::uint32_t leaf) {
  Crypto crypto;
  Buffer node(seed().bytes());
  for (int bit = 19; bit >= 0; --bit)
    node = Buffer(bytes_of(crypto.sha256({(leaf >> bit & 1) == 0 ? "chancery/1/ggm/0" : "chancery/1/ggm/1", node})));
  RecordKeys keys;
  std::ranges::copy(crypto.sha256({"chancery/1/salt", node}), keys.salt.data());
  std::ranges::copy(crypto.sha256({"chancery/1/aead", node}), keys.key.data());
  return keys;
}

void expect_keys(Crypto& crypto, KeyTree& tree, std::uint32_t leaf) {
  RecordKeys keys;
  ASSERT_TRUE(tree.keys_of(crypto, leaf, keys)) << leaf;
  EXPECT_EQ(hex(keys.salt), hex(reference(leaf).salt)) << leaf;
  EXPECT_EQ(hex(keys.key), hex(reference(leaf).key)) << leaf;
}

TEST(KeyTree, agrees_with_the_specification_in_order_backwards_and_at_random) {
  Crypto crypto;
  KeyTree tree(seed());
  for (std::uint32_t leaf = 0; leaf < 200; ++leaf) expect_keys(crypto, tree, leaf);
  for (std::uint32_t leaf = 200; leaf-- > 100;) expect_keys(crypto, tree, leaf);
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) expect_keys(crypto, tree, random() % kTreeLeaves);
  for (const std::uint32_t leaf : {0U, kTreeLeaves - 1, kTreeLeaves / 2, kTreeLeaves / 2 - 1, 0U, 0U})
    expect_keys(crypto, tree, leaf);
}

TEST(KeyTree, a_punctured_leaf_is_gone_and_every_other_one_is_as_before) {
  Crypto crypto;
  for (const std::uint32_t gone : {0U, 1U, 77U, kTreeLeaves - 1}) {
    const KeyNodes nodes = punctured(crypto, {{0, 0, seed()}}, gone);
    EXPECT_TRUE(is_valid(nodes));
    EXPECT_EQ(nodes.size(), kTreeDepth);
    KeyTree tree(nodes);
    RecordKeys keys;
    EXPECT_FALSE(tree.keys_of(crypto, gone, keys));
    for (std::uint32_t leaf = 0; leaf < 100; ++leaf)
      if (leaf != gone) expect_keys(crypto, tree, leaf);
    for (std::uint32_t leaf = kTreeLeaves - 50; leaf < kTreeLeaves; ++leaf)
      if (leaf != gone) expect_keys(crypto, tree, leaf);
  }
}

TEST(KeyTree, no_node_of_a_punctured_tree_is_on_the_path_to_the_erased_leaf) {
  Crypto crypto;
  constexpr std::uint32_t kGone = 12345;
  for (const KeyNode& node : punctured(crypto, {{0, 0, seed()}}, kGone))
    EXPECT_NE(kGone >> (kTreeDepth - node.depth), node.position) << "depth " << int{node.depth};
}

TEST(KeyTree, any_number_of_leaves_can_be_punctured_one_after_another) {
  Crypto crypto;
  KeyNodes nodes = {{0, 0, seed()}};
  for (std::uint32_t gone = 0; gone < 64; gone += 2) nodes = punctured(crypto, nodes, gone);
  EXPECT_TRUE(is_valid(nodes));
  const KeyNodes again = punctured(crypto, nodes, 10);
  EXPECT_EQ(again, nodes) << "an erased leaf cannot be erased again";
  KeyTree tree(nodes);
  RecordKeys keys;
  for (std::uint32_t leaf = 0; leaf < 80; ++leaf) {
    if (leaf < 64 && leaf % 2 == 0) {
      EXPECT_FALSE(tree.keys_of(crypto, leaf, keys)) << leaf;
    } else {
      expect_keys(crypto, tree, leaf);
    }
  }
}

TEST(KeyTree, an_empty_tree_gives_nothing) {
  Crypto crypto;
  KeyTree tree(KeyNodes{});
  RecordKeys keys;
  EXPECT_FALSE(tree.keys_of(crypto, 0, keys));
  EXPECT_FALSE(tree.keys_of(crypto, kTreeLeaves - 1, keys));
}

TEST(KeyTree, nodes_that_overlap_or_are_out_of_order_or_range_are_not_valid) {
  const auto node = [](std::uint8_t depth, std::uint32_t position) { return KeyNode{depth, position, {}}; };
  EXPECT_TRUE(is_valid({}));
  EXPECT_TRUE(is_valid({node(1, 0), node(1, 1)}));
  EXPECT_TRUE(is_valid({node(20, 0), node(1, 1)}));
  EXPECT_FALSE(is_valid({node(1, 1), node(1, 0)}));
  EXPECT_FALSE(is_valid({node(0, 0), node(20, 5)}));
  EXPECT_FALSE(is_valid({node(1, 0), node(1, 0)}));
  EXPECT_FALSE(is_valid({node(0, 1)}));
  EXPECT_FALSE(is_valid({node(5, 32)}));
  EXPECT_FALSE(is_valid({node(21, 0)}));
  EXPECT_FALSE(is_valid({node(255, 0)}));
}

}  // namespace
}  // namespace chancery::journal
