// SHA256_*: deprecated by OpenSSL 3 in favour of EVP, and kept. What is hashed here is two blocks mostly, and EVP's own
// work costs as much as one.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "merkle/hash.h"

#include <cstdlib>
#include <cstring>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "core/encoding.h"

namespace chancery::merkle {

Hash sha256(std::initializer_list<Bytes> parts) {
  SHA256_CTX state;
  SHA256_Init(&state);
  for (const Bytes part : parts) SHA256_Update(&state, part.data(), part.size());
  Hash hash;
  SHA256_Final(hash.data(), &state);
  return hash;
}

Hash sha256(Bytes octets) { return sha256({octets}); }

Hash leaf_hash(Bytes leaf) { return sha256({Bytes{"\x00", 1}, leaf}); }

Hash node_hash(const Hash& left, const Hash& right) {
  // One block of 65 octets: one update instead of three.
  std::array<char, 65> block;
  block[0] = '\x01';
  std::memcpy(block.data() + 1, left.data(), left.size());
  std::memcpy(block.data() + 33, right.data(), right.size());
  return sha256({Bytes{block.data(), block.size()}});
}

Hash empty_root() { return sha256(Bytes{}); }

Hash hmac_sha256(Bytes key, Bytes octets) {
  Hash mac;
  unsigned size = 0;
  const unsigned char* done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(octets.data()), octets.size(), mac.data(), &size);
  if (done == nullptr || size != mac.size()) std::abort();
  return mac;
}

std::string to_base64(const Hash& hash) { return chancery::to_base64(bytes_of(hash)); }

std::optional<Hash> hash_from_base64(std::string_view text) {
  if (text.size() != 44) return std::nullopt;
  const auto octets = from_base64(text);
  if (!octets) return std::nullopt;
  return hash_from_bytes(*octets);
}

std::optional<Hash> hash_from_bytes(Bytes octets) {
  Hash hash;
  if (octets.size() != hash.size()) return std::nullopt;
  std::memcpy(hash.data(), octets.data(), hash.size());
  return hash;
}

}  // namespace chancery::merkle
