#include "merkle/hash.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "core/encoding.h"
#include "merkle/reference_tree.h"
#include "merkle/tree.h"

namespace chancery::merkle {
namespace {

std::string hex(const Hash& hash) { return to_hex(bytes_of(hash)); }

// The constants of RFC 6962 §2.1 ("the hash of an empty list is the hash of an empty string") and of the empty leaf.
TEST(MerkleHash, HasTheConstantsOfRfc6962) {
  EXPECT_EQ(hex(empty_root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(leaf_hash("")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  EXPECT_EQ(hex(leaf_hash("L123456")), "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
}

TEST(MerkleHash, SeparatesLeavesFromNodes) {
  const Hash a = leaf_hash("a"), b = leaf_hash("b");
  EXPECT_NE(node_hash(a, b), leaf_hash(std::string{bytes_of(a)} + std::string{bytes_of(b)}));
  EXPECT_NE(node_hash(a, b), node_hash(b, a));
}

TEST(MerkleHash, HashesPartsAsTheirConcatenation) {
  EXPECT_EQ(sha256({"ab", "", "c"}), sha256("abc"));
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-2 B.1
}

TEST(MerkleHash, ComputesHmacAsRfc4231Case2) {
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(MerkleHash, ReadsBase64OfExactly32Octets) {
  const Hash hash = leaf_hash("x");
  EXPECT_EQ(hash_from_base64(to_base64(hash)), hash);
  for (const char* bad : {"", "AAAA", "not base64"}) EXPECT_FALSE(hash_from_base64(bad)) << bad;
  EXPECT_FALSE(hash_from_base64(to_base64(hash).substr(1) + "A"));  // no padding where it must be
  EXPECT_FALSE(hash_from_base64(chancery::to_base64(Buffer(31, 'x'))));
  EXPECT_FALSE(hash_from_base64(chancery::to_base64(Buffer(33, 'x'))));
}

// The roots that every Certificate Transparency implementation tests with, of its first 1…8 leaves.
TEST(CompactRange, GivesTheRootsOfCertificateTransparency) {
  const char* const roots[] = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                               "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                               "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                               "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                               "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                               "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                               "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                               "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  CompactRange range;
  std::size_t size = 0;
  for (const std::string& leaf : reference::ct_leaves()) {
    range.append(leaf_hash(leaf));
    EXPECT_EQ(hex(range.root()), roots[size++]);
  }
}

TEST(CompactRange, AgreesWithTheRecursiveDefinitionAtEverySize) {
  const auto leaves = reference::leaves(300);
  CompactRange range;
  EXPECT_EQ(range.root(), empty_root());
  for (std::size_t size = 1; size <= leaves.size(); ++size) {
    range.append(leaf_hash(leaves[size - 1]));
    ASSERT_EQ(range.size(), size);
    ASSERT_EQ(range.root(), reference::mth(reference::Leaves{leaves}.first(size))) << size;
    ASSERT_EQ(range.peaks().size(), static_cast<std::size_t>(std::popcount(size)));
  }
}

TEST(CompactRange, TellsEachPerfectNodeOnceChildrenFirst) {
  const auto leaves = reference::leaves(100);
  const NodeReader expected = reference::nodes(leaves);
  CompactRange range;
  std::vector<NodeId> told;
  for (const std::string& leaf : leaves)
    range.append(leaf_hash(leaf), [&](NodeId id, const Hash& hash) {
      told.push_back(id);
      EXPECT_EQ(hash, expected(id)) << id.level << "," << id.index;
    });
  std::size_t nodes = 0;
  for (unsigned level = 0; level < 7; ++level) nodes += leaves.size() >> level;
  EXPECT_EQ(told.size(), nodes);
  for (const NodeId id : told) {
    if (id.level == 0) continue;
    const auto parent = std::ranges::find(told, id);
    EXPECT_LT(std::ranges::find(told, NodeId{id.level - 1, id.index * 2 + 1}), parent);
  }
}

TEST(CompactRange, ResumesFromItsPeaks) {
  const auto leaves = reference::leaves(70);
  CompactRange whole;
  for (std::size_t size = 0; size < leaves.size(); ++size) {
    const auto peaks = whole.peaks();
    auto resumed = CompactRange::resume(size, {peaks.begin(), peaks.end()});
    ASSERT_TRUE(resumed);
    for (std::size_t i = size; i < leaves.size(); ++i) resumed->append(leaf_hash(leaves[i]));
    ASSERT_EQ(resumed->root(), reference::mth(leaves));
    whole.append(leaf_hash(leaves[size]));
  }
}

TEST(CompactRange, RefusesTheWrongNumberOfPeaks) {
  EXPECT_FALSE(CompactRange::resume(3, {Hash{}}));
  EXPECT_FALSE(CompactRange::resume(0, {Hash{}}));
  EXPECT_TRUE(CompactRange::resume(0, {}));
}

TEST(NodesOf, CoversARangeWithTheFewestAlignedSubtrees) {
  EXPECT_EQ(nodes_of(0, 0), std::vector<NodeId>{});
  EXPECT_EQ(nodes_of(0, 8), (std::vector<NodeId>{{3, 0}}));
  EXPECT_EQ(nodes_of(0, 7), (std::vector<NodeId>{{2, 0}, {1, 2}, {0, 6}}));
  EXPECT_EQ(nodes_of(4, 7), (std::vector<NodeId>{{1, 2}, {0, 6}}));
  EXPECT_EQ(nodes_of(6, 7), (std::vector<NodeId>{{0, 6}}));
}

}  // namespace
}  // namespace chancery::merkle
