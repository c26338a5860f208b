#pragma once
// SHA-256 and the Merkle tree hash of RFC 6962 §2.1 (unchanged in RFC 9162 §2.1.1).
#include <initializer_list>
#include <optional>
#include <string_view>

#include "core/bytes.h"
#include "merkle/leaf.h"

namespace chancery::merkle {

Hash sha256(Bytes octets);
Hash sha256(std::initializer_list<Bytes> parts);  // of their concatenation

Hash leaf_hash(Bytes leaf);                           // SHA-256(0x00 ‖ leaf)
Hash node_hash(const Hash& left, const Hash& right);  // SHA-256(0x01 ‖ left ‖ right)
Hash empty_root();                                    // the root of a tree without leaves: SHA-256 of nothing

// HMAC-SHA256 (RFC 2104): what a leaf's commitment is made of.
Hash hmac_sha256(Bytes key, Bytes octets);

// One hash as tlog-checkpoint, tlog-proof and tlog-witness write it: base64 of exactly 32 octets.
std::string to_base64(const Hash& hash);
std::optional<Hash> hash_from_base64(std::string_view text);
std::optional<Hash> hash_from_bytes(Bytes octets);

}  // namespace chancery::merkle
