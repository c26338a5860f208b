#pragma once
// Suite 1 of docs/formats/journal.md behind one adapter: SHA-256, HMAC-SHA-256 and AES-256-GCM, all of OpenSSL. The
// cipher is fetched and its contexts are made once an object, because both cost more than encrypting one record does.
// SHA-256 is OpenSSL's own function and not its EVP: most of what is hashed here is one block, of which EVP doubles the
// cost.
#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <openssl/evp.h>
#include <span>

#include "core/bytes.h"
#include "journal/secret.h"
#include "merkle/leaf.h"

namespace chancery::journal {

using Nonce = std::array<std::uint8_t, 12>;
inline constexpr std::size_t kTagSize = 16;

// Fills with octets from the operating system's generator. Throws std::runtime_error if there is none: nothing secret
// can be made then.
void fill_random(std::span<std::uint8_t> out);
Secret random_secret();

// For one thread at a time. OpenSSL fails in these operations only without memory or without its default provider:
// the constructor throws std::runtime_error then, the rest aborts.
class Crypto {
 public:
  Crypto();

  Hash sha256(std::initializer_list<Bytes> parts);
  Hash hmac(const Secret& key, std::initializer_list<Bytes> parts);
  // SHA-256(label ‖ parent), for secrets: `out` may be `parent`.
  void derive(Bytes label, const Secret& parent, Secret& out);

  // Writes ciphertext ‖ tag: plaintext.size() + kTagSize octets.
  void seal(const Secret& key, const Nonce& nonce, Bytes associated, Bytes plaintext, char* out);
  // `sealed` = ciphertext ‖ tag. False, and `out` empty, if the tag is wrong.
  bool open(const Secret& key, const Nonce& nonce, Bytes associated, Bytes sealed, Buffer& out);

 private:
  struct Free {
    void operator()(EVP_CIPHER* p) const { EVP_CIPHER_free(p); }
    void operator()(EVP_CIPHER_CTX* p) const { EVP_CIPHER_CTX_free(p); }
  };
  std::unique_ptr<EVP_CIPHER, Free> gcm_;
  std::unique_ptr<EVP_CIPHER_CTX, Free> sealer_;
  std::unique_ptr<EVP_CIPHER_CTX, Free> opener_;
};

// The form in which the key store wraps secrets: nonce ‖ ciphertext ‖ tag, the nonce drawn at random.
Buffer seal_with_random_nonce(Crypto& crypto, const Secret& key, Bytes associated, Bytes plaintext);
bool open_with_nonce(Crypto& crypto, const Secret& key, Bytes associated, Bytes sealed, Buffer& out);

}  // namespace chancery::journal
