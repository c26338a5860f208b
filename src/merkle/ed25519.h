#pragma once
// Ed25519 (RFC 8032 §5.1, pure) by OpenSSL. The private half is wiped when its owner goes.
#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <system_error>

#include "core/bytes.h"

struct evp_pkey_st;

namespace chancery::merkle {

inline constexpr std::size_t kEd25519KeySize = 32;  // octets, seed and public key alike
inline constexpr std::size_t kEd25519SignatureSize = 64;
using PublicKey = std::array<std::uint8_t, kEd25519KeySize>;

inline Bytes bytes_of_key(const PublicKey& key) { return {reinterpret_cast<const char*>(key.data()), key.size()}; }

class PrivateKey {
 public:
  // `seed` is the 32-octet secret of RFC 8032 §5.1.5. Wrong size: error.
  static std::expected<PrivateKey, std::error_code> from_seed(Bytes seed);
  // Takes over an OpenSSL key, e.g. one read from PEM. Not Ed25519: error.
  static std::expected<PrivateKey, std::error_code> adopt(std::shared_ptr<evp_pkey_st> key);

  Buffer sign(Bytes message) const;  // 64 octets
  const PublicKey& public_key() const { return public_key_; }
  Buffer seed() const;  // the secret itself, for key files; the caller wipes it

 private:
  PrivateKey() = default;
  std::shared_ptr<evp_pkey_st> key_;
  PublicKey public_key_{};
};

bool verify(const PublicKey& key, Bytes message, Bytes signature);

}  // namespace chancery::merkle
