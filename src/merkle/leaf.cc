#include "merkle/leaf.h"

#include <algorithm>
#include <cstring>

namespace chancery {
namespace {

constexpr std::uint8_t kLeafVersion = 1;

// Offsets of the fields; docs/formats/journal.md, "Leaf".
constexpr std::size_t kTypeAt = 1, kClassAt = 2, kTimeAt = 4, kConversationAt = 12, kSequenceAt = 28,
                      kCommitmentAt = 36, kSecondAt = 68;
static_assert(kSecondAt + std::tuple_size_v<Hash> == kLeafSize);

void put(char* out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xff);
}

std::uint64_t get(const char* in, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<std::uint8_t>(in[i]);
  return value;
}

bool is_known(std::uint8_t type) {
  return type >= static_cast<std::uint8_t>(LeafType::record) &&
         type <= static_cast<std::uint8_t>(LeafType::sheet_replaced);
}

}  // namespace

std::array<char, kLeafSize> encode(const Leaf& leaf) {
  std::array<char, kLeafSize> out;
  out[0] = static_cast<char>(kLeafVersion);
  out[kTypeAt] = static_cast<char>(leaf.type);
  put(out.data() + kClassAt, leaf.retention_class, 2);
  put(out.data() + kTimeAt, static_cast<std::uint64_t>(unix_ns(leaf.time)), 8);
  std::ranges::copy(leaf.conversation.bytes(), out.data() + kConversationAt);
  put(out.data() + kSequenceAt, leaf.conversation_sequence, 8);
  std::ranges::copy(bytes_of(leaf.commitment), out.data() + kCommitmentAt);
  std::ranges::copy(bytes_of(leaf.second), out.data() + kSecondAt);
  return out;
}

std::expected<Leaf, std::error_code> decode_leaf(Bytes octets) {
  if (octets.size() != kLeafSize) return std::unexpected(std::make_error_code(std::errc::message_size));
  if (static_cast<std::uint8_t>(octets[0]) != kLeafVersion)
    return std::unexpected(std::make_error_code(std::errc::not_supported));
  const auto type = static_cast<std::uint8_t>(octets[kTypeAt]);
  if (!is_known(type)) return std::unexpected(std::make_error_code(std::errc::not_supported));
  Leaf leaf;
  leaf.type = static_cast<LeafType>(type);
  leaf.retention_class = static_cast<std::uint16_t>(get(octets.data() + kClassAt, 2));
  leaf.time = from_unix_ns(static_cast<std::int64_t>(get(octets.data() + kTimeAt, 8)));
  std::memcpy(leaf.conversation.octets.data(), octets.data() + kConversationAt, leaf.conversation.octets.size());
  leaf.conversation_sequence = get(octets.data() + kSequenceAt, 8);
  std::memcpy(leaf.commitment.data(), octets.data() + kCommitmentAt, leaf.commitment.size());
  std::memcpy(leaf.second.data(), octets.data() + kSecondAt, leaf.second.size());
  return leaf;
}

}  // namespace chancery
