#include "archive/verify/bundle.h"

#include <gtest/gtest.h>

#include "archive/verify/testing/archive_builder.h"

namespace chancery::verify {
namespace {

class BundleTest : public ::testing::Test {
 protected:
  BundleTest() {
    Leaf leaf;
    leaf.time = from_unix_ns(testing::kStartNs);
    leaf.commitment = merkle::hmac_sha256(bytes_of(salt_), "the record");
    const auto octets = encode(leaf);
    bundle_.leaf.assign(octets.data(), octets.size());
    const Hash other = merkle::leaf_hash("other");
    const Hash root = merkle::node_hash(merkle::leaf_hash(bundle_.leaf), other);
    const merkle::Extensions extensions{leaf.time + std::chrono::seconds{1}, Hash{}};
    const Buffer text = merkle::Checkpoint{"o", {2, root}, extensions.lines()}.text();
    const merkle::NoteSignature cosigned =
        testing::kWitnessKey.cosign(text, static_cast<std::uint64_t>(testing::kStartNs / 1'000'000'000));
    bundle_.proof = {std::nullopt, 0, {other}, merkle::Note{text, {key_.sign(text), cosigned}}.encode()};
    bundle_.keys = key_.verifier().vkey() + "\n";
    bundle_.disclosed = Disclosed{"the record", salt_};
    anchors_.keys = {key_.key.public_key()};
  }
  int exit_code(const Bundle& bundle) const { return verify_bundle(bundle.encode(), anchors_).exit_code(); }

  const Hash salt_ = merkle::sha256("salt");
  const merkle::SigningKey key_{"o", merkle::KeyType::ed25519, *merkle::PrivateKey::from_seed(Buffer(32, 'k'))};
  Bundle bundle_;
  Anchors anchors_;
};

TEST_F(BundleTest, HoldsAgainstAKeyAWitnessOrAHeldCheckpoint) {
  EXPECT_EQ(exit_code(bundle_), 0);
  anchors_ = {};
  EXPECT_EQ(exit_code(bundle_), 2);
  anchors_.witnesses = {testing::kWitnessKey.verifier()};
  EXPECT_EQ(exit_code(bundle_), 0);
  anchors_ = {};
  anchors_.since = {*parse_held(bundle_.proof.checkpoint)};
  EXPECT_EQ(exit_code(bundle_), 0);
}

TEST_F(BundleTest, IsReadBack) {
  EXPECT_EQ(Bundle::parse(bundle_.encode()), bundle_);
  bundle_.disclosed.reset();
  EXPECT_EQ(Bundle::parse(bundle_.encode()), bundle_);
  EXPECT_EQ(exit_code(bundle_), 0);
}

TEST_F(BundleTest, FailsWithAnotherRecordSaltIndexKeyOrLeaf) {
  Bundle bad = bundle_;
  bad.disclosed->record += "!";
  EXPECT_EQ(exit_code(bad), 1);
  bad = bundle_;
  bad.disclosed->salt[0] ^= 1;
  EXPECT_EQ(exit_code(bad), 1);
  bad = bundle_;
  bad.proof.index = 1;
  EXPECT_EQ(exit_code(bad), 1);
  bad = bundle_;
  bad.leaf[20] ^= 1;
  EXPECT_EQ(exit_code(bad), 1);
  anchors_.keys = {merkle::PrivateKey::from_seed(Buffer(32, 'x'))->public_key()};
  EXPECT_EQ(exit_code(bundle_), 1);
}

// The `keys` line is a convenience and not under any signature; every other bit is.
TEST_F(BundleTest, NeverHoldsWithAnyBitChanged) {
  const Buffer good = bundle_.encode();
  const auto keys_begin = good.find("keys "), keys_end = good.find('\n', keys_begin);
  const auto cosignature = good.rfind("\xe2\x80\x94");  // of a witness that is not asked for
  for (std::size_t bit = 0; bit < cosignature * 8; ++bit) {
    if (bit / 8 > keys_begin && bit / 8 < keys_end) continue;
    Buffer bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
    ASSERT_NE(verify_bundle(bad, anchors_).exit_code(), 0) << bit;
  }
}

}  // namespace
}  // namespace chancery::verify
