#include "merkle/proof.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <random>
#include <regex>
#include <sstream>
#include <utility>

#include "core/encoding.h"
#include "merkle/decimal.h"
#include "merkle/reference_tree.h"

namespace chancery::merkle {
namespace {

using reference::Leaves;

constexpr std::size_t kTreeSizeMax = 70;  // past a power of two, so every shape of right edge occurs

class Proofs : public ::testing::Test {
 protected:
  Hash root(std::uint64_t size) const { return reference::mth(Leaves{leaves_}.first(size)); }
  Hash leaf(std::uint64_t index) const { return leaf_hash(leaves_[index]); }

  std::vector<std::string> leaves_ = reference::leaves(kTreeSizeMax);
  NodeReader nodes_ = reference::nodes(leaves_);
};

TEST_F(Proofs, OfInclusionAreThoseOfTheRecursiveDefinitionForEveryLeafOfEveryTree) {
  for (std::uint64_t size = 1; size <= kTreeSizeMax; ++size)
    for (std::uint64_t index = 0; index < size; ++index) {
      const auto proof = make_inclusion_proof(index, size, nodes_);
      ASSERT_TRUE(proof);
      ASSERT_EQ(*proof, reference::path(index, Leaves{leaves_}.first(size))) << index << " of " << size;
      ASSERT_FALSE(check_inclusion(index, size, leaf(index), *proof, root(size)));
    }
}

TEST_F(Proofs, OfConsistencyAreThoseOfTheRecursiveDefinitionForEveryPairOfSizes) {
  for (std::uint64_t size = 1; size <= kTreeSizeMax; ++size)
    for (std::uint64_t old_size = 1; old_size <= size; ++old_size) {
      const auto proof = make_consistency_proof(old_size, size, nodes_);
      ASSERT_TRUE(proof);
      ASSERT_EQ(*proof, reference::subproof(old_size, Leaves{leaves_}.first(size), true)) << old_size << "→" << size;
      ASSERT_FALSE(check_consistency(old_size, size, root(old_size), root(size), *proof));
    }
}

TEST_F(Proofs, FromTheEmptyTreeAreEmptyAndProveNothing) {
  EXPECT_EQ(make_consistency_proof(0, 5, nodes_), Proof{});
  EXPECT_EQ(check_consistency(0, 5, empty_root(), root(5), {}), ProofError::out_of_range);
  EXPECT_EQ(check_consistency(0, 0, empty_root(), empty_root(), {}), ProofError::out_of_range);
  EXPECT_EQ(root_of(0, nodes_), empty_root());
}

TEST_F(Proofs, OfEqualTreesAreEmptyAndNeedEqualRoots) {
  EXPECT_FALSE(check_consistency(5, 5, root(5), root(5), {}));
  EXPECT_EQ(check_consistency(5, 5, root(5), root(6), {}), ProofError::mismatch);
  EXPECT_EQ(check_consistency(5, 5, root(5), root(5), Proof{root(5)}), ProofError::wrong_length);
}

TEST_F(Proofs, OutsideTheTreeAreRefused) {
  EXPECT_EQ(make_inclusion_proof(5, 5, nodes_).error(), ProofError::out_of_range);
  EXPECT_EQ(make_inclusion_proof(0, 0, nodes_).error(), ProofError::out_of_range);
  EXPECT_EQ(make_consistency_proof(6, 5, nodes_).error(), ProofError::out_of_range);
  EXPECT_EQ(check_inclusion(5, 5, leaf(4), {}, root(5)), ProofError::out_of_range);
  EXPECT_EQ(check_consistency(6, 5, root(6), root(5), {}), ProofError::out_of_range);
}

TEST_F(Proofs, SayWhichNodeReaderFailed) {
  EXPECT_EQ(make_inclusion_proof(0, kTreeSizeMax + 1, nodes_).error(), ProofError::missing_node);
  EXPECT_EQ(root_of(kTreeSizeMax + 1, nodes_).error(), ProofError::missing_node);
}

// What transparency-dev/merkle's test data does to each proof, and more: every bit of every hash, every other index and
// size, hashes added and taken away at every place.
TEST_F(Proofs, OfInclusionFailWhenAnythingIsChanged) {
  for (const std::uint64_t size : {1U, 2U, 5U, 7U, 8U, 33U}) {
    for (std::uint64_t index = 0; index < size; ++index) {
      const Proof proof = *make_inclusion_proof(index, size, nodes_);
      const auto fails = [&](std::uint64_t i, std::uint64_t n, const Hash& hash, const Proof& p, const Hash& r) {
        EXPECT_TRUE(check_inclusion(i, n, hash, p, r)) << i << " of " << n;
      };
      for (std::uint64_t other = 0; other < 40; ++other)
        if (other != index) fails(other, size, leaf(index), proof, root(size));
      fails(index, size, leaf((index + 1) % kTreeSizeMax), proof, root(size));
      fails(index, size, leaf(index), proof, root(size + 1));
      fails(index, size, leaf(index), proof, empty_root());
      for (std::size_t place = 0; place <= proof.size(); ++place) {
        Proof longer = proof;
        longer.insert(longer.begin() + static_cast<std::ptrdiff_t>(place), root(size));
        fails(index, size, leaf(index), longer, root(size));
      }
      for (std::size_t place = 0; place < proof.size(); ++place) {
        Proof shorter = proof;
        shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(place));
        fails(index, size, leaf(index), shorter, root(size));
        for (std::size_t bit = 0; bit < 256; bit += 37) {
          Proof flipped = proof;
          flipped[place][bit / 8] = static_cast<std::uint8_t>(flipped[place][bit / 8] ^ 1U << bit % 8);
          fails(index, size, leaf(index), flipped, root(size));
        }
      }
    }
  }
}

TEST_F(Proofs, OfConsistencyFailWhenAnythingIsChanged) {
  for (const auto& [old_size, size] : {std::pair{1U, 8U}, {6U, 8U}, {2U, 5U}, {4U, 7U}, {7U, 33U}, {32U, 33U}}) {
    const Proof proof = *make_consistency_proof(old_size, size, nodes_);
    const Hash old_root = root(old_size), new_root = root(size);
    EXPECT_TRUE(check_consistency(old_size, size, new_root, old_root, proof));
    EXPECT_TRUE(check_consistency(old_size, size, root(old_size + 1), new_root, proof));
    EXPECT_TRUE(check_consistency(old_size, size, old_root, root(size + 1), proof));
    EXPECT_TRUE(check_consistency(old_size, size, old_root, new_root, {}));
    for (std::uint64_t other = 1; other < size; ++other) {
      if (other == old_size) continue;
      EXPECT_TRUE(check_consistency(other, size, old_root, new_root, proof)) << other;
    }
    for (std::size_t place = 0; place <= proof.size(); ++place) {
      Proof longer = proof;
      longer.insert(longer.begin() + static_cast<std::ptrdiff_t>(place), old_root);
      EXPECT_TRUE(check_consistency(old_size, size, old_root, new_root, longer));
    }
    for (std::size_t place = 0; place < proof.size(); ++place) {
      Proof shorter = proof, flipped = proof;
      shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(place));
      EXPECT_TRUE(check_consistency(old_size, size, old_root, new_root, shorter));
      flipped[place][3] ^= 0x10;
      EXPECT_TRUE(check_consistency(old_size, size, old_root, new_root, flipped));
    }
  }
}

TEST_F(Proofs, OfAnyTwoRandomlyChosenSizesOfALargeTreeVerify) {
  const auto leaves = reference::leaves(2'000);
  const NodeReader nodes = reference::nodes(leaves);
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random{seed};
  for (int round = 0; round < 20; ++round) {
    const std::uint64_t size = 1 + random() % leaves.size(), old_size = 1 + random() % size, index = random() % size;
    const Hash top = reference::mth(Leaves{leaves}.first(size)), old = reference::mth(Leaves{leaves}.first(old_size));
    EXPECT_FALSE(check_consistency(old_size, size, old, top, *make_consistency_proof(old_size, size, nodes)));
    EXPECT_FALSE(
        check_inclusion(index, size, leaf_hash(leaves[index]), *make_inclusion_proof(index, size, nodes), top));
  }
}

// Sizes near 2^64 must neither overflow nor loop.
TEST_F(Proofs, OfTheLargestTreesAreOnlyWrong) {
  const std::uint64_t huge = ~std::uint64_t{0};
  const Proof proof(63, leaf(0));
  EXPECT_TRUE(check_inclusion(huge - 1, huge, leaf(0), proof, root(1)));
  EXPECT_TRUE(check_inclusion(huge - 1, huge, leaf(0), Proof(64, leaf(0)), root(1)));
  EXPECT_TRUE(check_consistency(huge - 1, huge, root(1), root(2), proof));
  EXPECT_EQ(make_inclusion_proof(huge - 1, huge, nodes_).error(), ProofError::missing_node);
}

// transparency-dev/merkle keeps its vectors as JSON files (testdata/inclusion, testdata/consistency). They are run when
// a checkout's testdata folder is named; the rules they hold are all held above as well.
class TransparencyDev : public ::testing::Test {
 protected:
  static std::optional<std::string> folder() {
    const char* name = std::getenv("CHANCERY_TRANSPARENCY_DEV_TESTDATA");
    return name ? std::optional<std::string>{name} : std::nullopt;
  }
  static std::string text(const std::string& json, const std::string& key) {
    std::smatch match;
    return std::regex_search(json, match, std::regex{"\"" + key + "\": *\"?([^\",\n]*)"}) ? match[1].str() : "";
  }
  template <class Check>
  static void run_all(const std::string& kind, Check check) {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{*folder() + "/" + kind}) {
      if (entry.path().extension() != ".json") continue;
      std::stringstream json;
      json << std::ifstream{entry.path()}.rdbuf();
      EXPECT_EQ(check(json.str()), text(json.str(), "wantErr") == "true") << entry.path();
      ++count;
    }
    EXPECT_GT(count, 50U);
    std::cout << count << " vectors\n";
  }
  // Some vectors have a root of another size, which Hash cannot hold: two such are equal when their octets are.
  static std::optional<Hash> root(const std::string& json, const std::string& key) {
    const auto octets = from_base64(text(json, key));
    if (!octets) return std::nullopt;
    return octets->size() == sizeof(Hash) ? *hash_from_bytes(*octets) : sha256(*octets);
  }
  // nullopt: a hash of the wrong size, which our types cannot even hold.
  static std::optional<Proof> proof(const std::string& json) {
    std::smatch list;
    Proof result;
    if (!std::regex_search(json, list, std::regex{"\"proof\": *\\[([^\\]]*)\\]"})) return result;
    const std::string items = list[1];
    const std::regex item{"\"([^\"]*)\""};
    for (auto it = std::sregex_iterator{items.begin(), items.end(), item}; it != std::sregex_iterator{}; ++it) {
      const auto hash = hash_from_base64((*it)[1].str());
      if (!hash) return std::nullopt;
      result.push_back(*hash);
    }
    return result;
  }
};

TEST_F(TransparencyDev, InclusionVectorsPass) {
  if (!folder()) GTEST_SKIP() << "CHANCERY_TRANSPARENCY_DEV_TESTDATA is not set";
  run_all("inclusion", [](const std::string& json) {
    const auto hashes = proof(json);
    const auto index = parse_decimal(text(json, "leafIdx")), size = parse_decimal(text(json, "treeSize"));
    const auto leaf = hash_from_base64(text(json, "leafHash")), top = root(json, "root");
    return !hashes || !index || !size || !leaf || !top || check_inclusion(*index, *size, *leaf, *hashes, *top);
  });
}

TEST_F(TransparencyDev, ConsistencyVectorsPass) {
  if (!folder()) GTEST_SKIP() << "CHANCERY_TRANSPARENCY_DEV_TESTDATA is not set";
  run_all("consistency", [](const std::string& json) {
    const auto hashes = proof(json);
    const auto size1 = parse_decimal(text(json, "size1")), size2 = parse_decimal(text(json, "size2"));
    const auto old_root = root(json, "root1"), top = root(json, "root2");
    return !hashes || !size1 || !size2 || !old_root || !top ||
           check_consistency(*size1, *size2, *old_root, *top, *hashes);
  });
}

}  // namespace
}  // namespace chancery::merkle
