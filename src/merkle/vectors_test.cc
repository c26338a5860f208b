// Against vectors of another implementation: test/vectors/make_vectors.py, run afresh each time. The vectors of
// transparency-dev and C2SP themselves run where a checkout is named (proof_test.cc, note_test.cc).
#include <algorithm>
#include <cstdio>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <sstream>

#include "core/encoding.h"
#include "merkle/checkpoint.h"
#include "merkle/decimal.h"
#include "merkle/proof.h"
#include "merkle/tile.h"
#include "merkle/tree.h"

namespace chancery::merkle {
namespace {

using Fields = std::vector<std::string>;

std::vector<Fields> run_generator() {
  const std::string command = "/usr/bin/python3 -B " CHANCERY_VECTORS "/make_vectors.py";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe{::popen(command.c_str(), "r"), ::pclose};
  std::string text;
  char chunk[1 << 16];
  for (std::size_t got = 0; (got = std::fread(chunk, 1, sizeof chunk, pipe.get())) > 0;) text.append(chunk, got);
  std::vector<Fields> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) {
    std::istringstream words{line};
    Fields fields;
    for (std::string word; words >> word;) fields.push_back(word);
    lines.push_back(std::move(fields));
  }
  return lines;
}

Hash hash_of(const std::string& hex) { return hash_from_bytes(from_hex(hex).value()).value(); }
std::uint64_t number_of(const std::string& text) { return parse_decimal(text).value(); }

Proof proof_of(const std::string& text) {
  Proof proof;
  if (text == "-") return proof;
  std::istringstream in{text};
  for (std::string hash; std::getline(in, hash, ',');) proof.push_back(hash_of(hash));
  return proof;
}

class Vectors : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    lines_ = run_generator();
    ASSERT_FALSE(lines_.empty()) << "python3 did not run";
    CompactRange tree;
    for (std::uint64_t i = 0; i < number_of(lines_.front().at(1)); ++i)
      tree.append(leaf_hash("leaf " + std::to_string(i)), [](NodeId id, const Hash& hash) { nodes_[id] = hash; });
  }
  static std::expected<Hash, std::error_code> node(NodeId id) {
    const auto found = nodes_.find(id);
    if (found == nodes_.end()) return std::unexpected(make_error_code(ProofError::missing_node));
    return found->second;
  }
  // Calls `check` for each vector of a kind; at least `least` there must be.
  template <class Check>
  static void each(const std::string& kind, std::size_t least, Check check) {
    std::size_t count = 0;
    for (const Fields& fields : lines_) {
      if (fields.front() != kind) continue;
      ++count;
      SCOPED_TRACE(::testing::PrintToString(fields));
      check(fields);
    }
    EXPECT_GE(count, least);
  }
  static std::vector<Fields> lines_;
  static std::map<NodeId, Hash> nodes_;
};
std::vector<Fields> Vectors::lines_;
std::map<NodeId, Hash> Vectors::nodes_;

TEST_F(Vectors, OfRoots) {
  each("root", 20, [](const Fields& f) { EXPECT_EQ(root_of(number_of(f[1]), node), hash_of(f[2])); });
}

TEST_F(Vectors, OfInclusionProofs) {
  each("inclusion", 700, [](const Fields& f) {
    const std::uint64_t index = number_of(f[2]), size = number_of(f[3]);
    const Proof proof = proof_of(f[6]);
    EXPECT_EQ(!check_inclusion(index, size, hash_of(f[4]), proof, hash_of(f[5])), f[1] == "ok");
    if (f[1] == "ok") {
      EXPECT_EQ(make_inclusion_proof(index, size, node), proof);
    }
  });
}

TEST_F(Vectors, OfConsistencyProofs) {
  each("consistency", 600, [](const Fields& f) {
    const std::uint64_t old_size = number_of(f[2]), size = number_of(f[3]);
    const Proof proof = proof_of(f[6]);
    EXPECT_EQ(!check_consistency(old_size, size, hash_of(f[4]), hash_of(f[5]), proof), f[1] == "ok");
    if (f[1] == "ok") {
      EXPECT_EQ(make_consistency_proof(old_size, size, node), proof);
    }
  });
}

TEST_F(Vectors, OfTiles) {
  std::map<std::uint64_t, std::size_t> seen;
  each("tile", 50, [&](const Fields& f) {
    const auto tile = parse_tile_path(f[2]);
    ASSERT_TRUE(tile);
    const auto wanted = tiles_of(number_of(f[1]));
    EXPECT_NE(std::ranges::find(wanted, *tile), wanted.end());
    Buffer octets;
    for (unsigned i = 0; i < tile->width; ++i)
      octets += bytes_of(node({tile->level * kTileHeight, tile->index * kTileWidth + i}).value());
    EXPECT_EQ(sha256(octets), hash_of(f[3]));
    ++seen[number_of(f[1])];
  });
  for (const auto& [size, count] : seen) EXPECT_EQ(tiles_of(size).size(), count) << size;
}

TEST_F(Vectors, OfNotes) {
  each("note", 60, [](const Fields& f) {
    const auto key = VerifierKey::parse(from_hex(f[2]).value());
    ASSERT_TRUE(key);
    const auto note = parse_note(from_hex(f[3]).value());
    EXPECT_EQ(note && check(*note, *key).is_valid(), f[1] == "ok");
    if (f[4] == "-") return;
    const SigningKey signer{key->name, KeyType::ed25519, *PrivateKey::from_seed(from_hex(f[4]).value())};
    EXPECT_EQ(signer.verifier(), *key);
    EXPECT_EQ((Note{note->text, {signer.sign(note->text)}}.encode()), from_hex(f[3]).value());
  });
}

TEST_F(Vectors, OfCosignatures) {
  each("cosignature", 15, [](const Fields& f) {
    const auto key = VerifierKey::parse(from_hex(f[2]).value());
    ASSERT_TRUE(key);
    const auto note = parse_note(from_hex(f[3]).value());
    ASSERT_TRUE(note);
    const Checked checked = check(*note, *key);
    EXPECT_EQ(checked.is_valid(), f[1] == "ok");
    if (f[4] == "-") return;
    EXPECT_EQ(checked.time_s, number_of(f[5]));
    const SigningKey signer{key->name, KeyType::cosignature, *PrivateKey::from_seed(from_hex(f[4]).value())};
    EXPECT_EQ(signer.cosign(note->text, number_of(f[5])), note->signatures.front());
  });
}

}  // namespace
}  // namespace chancery::merkle
