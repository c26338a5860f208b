#pragma once
// A leaf is what the Merkle log hashes for one record: small, without personal data, readable without any key.
// Layout (big-endian), specified in docs/formats/journal.md:
//   0   1  version (1)
//   1   1  type (LeafType)
//   2   2  retention class
//   4   8  time, ns since 1970 (signed)
//   12 16  conversation id
//   28  8  conversation sequence
//   36 32  commitment: HMAC-SHA256(salt, plaintext record)
//   68 32  second hash: SHA-256 of the ciphertext (record), of a file of the archive, or a leaf hash (tombstone)
#include <array>
#include <cstdint>
#include <expected>
#include <system_error>

#include "core/bytes.h"
#include "core/id.h"
#include "core/time.h"

namespace chancery {

using Hash = std::array<std::uint8_t, 32>;
inline Bytes bytes_of(const Hash& hash) { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

inline constexpr std::size_t kLeafSize = 100;

// Numbers are part of the format.
enum class LeafType : std::uint8_t {
  record = 1,  // second = SHA-256(ciphertext)
  log_opened =
      2,  // always index 0 of a log; second = SHA-256(archive.json); the frame still holds a record (Kind::epoch)
  segment_opened = 3,  // first frame of each segment; second = SHA-256(the segment's key sheet); frame body empty
  torn_tail = 4,       // second = SHA-256(the file kept under torn/); the frame holds a record (Kind::gap)
  key_added = 5,       // second = SHA-256(the verifier key file); the frame holds a record (Kind::key_change)
  tombstone = 6,       // second = leaf hash of the record that was erased; the frame holds a record
  sheet_replaced = 7,  // second = SHA-256(the new key sheet); frame body empty
};

struct Leaf {
  LeafType type = LeafType::record;
  std::uint16_t retention_class = 0;
  Instant time;
  ConversationId conversation;
  std::uint64_t conversation_sequence = 0;
  Hash commitment{};
  Hash second{};
  bool operator==(const Leaf&) const = default;
};

std::array<char, kLeafSize> encode(const Leaf& leaf);
std::expected<Leaf, std::error_code> decode_leaf(Bytes octets);  // exact size, known version and type

}  // namespace chancery
