#include "merkle/leaf.h"

#include <gtest/gtest.h>

#include "core/encoding.h"

namespace chancery {
namespace {

Leaf sample() {
  Leaf leaf;
  leaf.type = LeafType::torn_tail;
  leaf.retention_class = 0x0102;
  leaf.time = from_unix_ns(0x1122334455667788);
  for (std::size_t i = 0; i < 16; ++i) leaf.conversation.octets[i] = static_cast<std::uint8_t>(0xa0 + i);
  leaf.conversation_sequence = 0x0807060504030201;
  leaf.commitment.fill(0xcc);
  leaf.second.fill(0xdd);
  return leaf;
}

std::string repeat(std::string_view part, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += part;
  return out;
}

// docs/formats/journal.md, "Leaf": the worked example.
TEST(Leaf, is_a_fixed_big_endian_layout) {
  const auto octets = encode(sample());
  EXPECT_EQ(to_hex({octets.data(), octets.size()}),
            "01040102"
            "1122334455667788"
            "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf"
            "0807060504030201" +
                repeat("cc", 32) + repeat("dd", 32));
}

TEST(Leaf, comes_back_as_it_went) {
  const auto octets = encode(sample());
  EXPECT_EQ(decode_leaf({octets.data(), octets.size()}), sample());
}

TEST(Leaf, keeps_times_before_1970) {
  Leaf leaf = sample();
  leaf.time = from_unix_ns(-1);
  const auto octets = encode(leaf);
  EXPECT_EQ(decode_leaf({octets.data(), octets.size()}), leaf);
}

// Every octet is part of a field, so no two leaves share an encoding and a verifier need not re-encode.
TEST(Leaf, every_bit_matters) {
  const auto octets = encode(sample());
  for (std::size_t bit = 0; bit < 8 * kLeafSize; ++bit) {
    auto changed = octets;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    const auto leaf = decode_leaf({changed.data(), changed.size()});
    if (!leaf) continue;  // version or type no longer known
    EXPECT_NE(*leaf, sample()) << "bit " << bit;
    EXPECT_EQ(encode(*leaf), changed) << "bit " << bit;
  }
}

TEST(Leaf, other_sizes_versions_and_types_are_refused) {
  const auto octets = encode(sample());
  for (std::size_t size = 0; size < kLeafSize; ++size) EXPECT_FALSE(decode_leaf({octets.data(), size})) << size;
  EXPECT_FALSE(decode_leaf(std::string(octets.data(), octets.size()) + '\0'));
  for (int value = 0; value < 256; ++value) {
    auto changed = octets;
    changed[0] = static_cast<char>(value);
    EXPECT_EQ(decode_leaf({changed.data(), changed.size()}).has_value(), value == 1) << value;
    changed = octets;
    changed[1] = static_cast<char>(value);
    EXPECT_EQ(decode_leaf({changed.data(), changed.size()}).has_value(), value >= 1 && value <= 7) << value;
  }
}

}  // namespace
}  // namespace chancery
