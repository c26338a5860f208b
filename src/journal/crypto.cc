// SHA256_*: deprecated by OpenSSL 3 in favour of EVP, and kept.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "journal/crypto.h"

#include <cstdlib>
#include <cstring>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdexcept>

namespace chancery::journal {
namespace {

// A cryptographic operation that cannot fail has failed: whatever came next would be wrong evidence.
void must(int result) {
  if (result != 1) std::abort();
}

const std::uint8_t* octets(Bytes bytes) { return reinterpret_cast<const std::uint8_t*>(bytes.data()); }
int length(Bytes bytes) { return static_cast<int>(bytes.size()); }  // callers stay below kPayloadSizeMax

}  // namespace

void fill_random(std::span<std::uint8_t> out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) throw std::runtime_error("no random numbers");
}

Secret random_secret() {
  Secret secret;
  fill_random({secret.data(), Secret::kSize});
  return secret;
}

Crypto::Crypto()
    : gcm_(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)),
      sealer_(EVP_CIPHER_CTX_new()),
      opener_(EVP_CIPHER_CTX_new()) {
  if (!gcm_ || !sealer_ || !opener_ || EVP_EncryptInit_ex2(sealer_.get(), gcm_.get(), nullptr, nullptr, nullptr) != 1 ||
      EVP_DecryptInit_ex2(opener_.get(), gcm_.get(), nullptr, nullptr, nullptr) != 1)
    throw std::runtime_error("OpenSSL offers no AES-256-GCM");
}

Hash Crypto::sha256(std::initializer_list<Bytes> parts) {
  SHA256_CTX state;
  must(SHA256_Init(&state));
  for (const Bytes part : parts) must(SHA256_Update(&state, part.data(), part.size()));
  Hash hash;
  must(SHA256_Final(hash.data(), &state));
  return hash;
}

// RFC 2104 by hand: an EVP_MAC context costs more to give a new key than these four blocks do.
Hash Crypto::hmac(const Secret& key, std::initializer_list<Bytes> parts) {
  std::array<std::uint8_t, SHA256_CBLOCK> pad;
  SHA256_CTX state;
  const auto begin = [&](std::uint8_t value) {
    pad.fill(value);
    for (std::size_t i = 0; i < Secret::kSize; ++i) pad[i] ^= key.data()[i];
    must(SHA256_Init(&state));
    must(SHA256_Update(&state, pad.data(), pad.size()));
  };
  Hash hash;
  begin(0x36);
  for (const Bytes part : parts) must(SHA256_Update(&state, part.data(), part.size()));
  must(SHA256_Final(hash.data(), &state));
  begin(0x5c);
  must(SHA256_Update(&state, hash.data(), hash.size()));
  must(SHA256_Final(hash.data(), &state));
  OPENSSL_cleanse(pad.data(), pad.size());
  OPENSSL_cleanse(&state, sizeof state);
  return hash;
}

void Crypto::derive(Bytes label, const Secret& parent, Secret& out) {
  SHA256_CTX state;
  must(SHA256_Init(&state));
  must(SHA256_Update(&state, label.data(), label.size()));
  must(SHA256_Update(&state, parent.data(), Secret::kSize));
  must(SHA256_Final(out.data(), &state));
  OPENSSL_cleanse(&state, sizeof state);
}

void Crypto::seal(const Secret& key, const Nonce& nonce, Bytes associated, Bytes plaintext, char* out) {
  auto* target = reinterpret_cast<std::uint8_t*>(out);
  int written = 0;
  must(EVP_EncryptInit_ex2(sealer_.get(), nullptr, key.data(), nonce.data(), nullptr));
  must(EVP_EncryptUpdate(sealer_.get(), nullptr, &written, octets(associated), length(associated)));
  must(EVP_EncryptUpdate(sealer_.get(), target, &written, octets(plaintext), length(plaintext)));
  must(EVP_EncryptFinal_ex(sealer_.get(), target + plaintext.size(), &written));
  must(EVP_CIPHER_CTX_ctrl(sealer_.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize, target + plaintext.size()));
}

bool Crypto::open(const Secret& key, const Nonce& nonce, Bytes associated, Bytes sealed, Buffer& out) {
  out.clear();
  if (sealed.size() < kTagSize) return false;
  const Bytes ciphertext = sealed.substr(0, sealed.size() - kTagSize);
  std::array<char, kTagSize> tag;
  std::memcpy(tag.data(), sealed.data() + ciphertext.size(), kTagSize);
  out.resize(ciphertext.size());
  auto* target = reinterpret_cast<std::uint8_t*>(out.data());
  int written = 0;
  must(EVP_DecryptInit_ex2(opener_.get(), nullptr, key.data(), nonce.data(), nullptr));
  must(EVP_DecryptUpdate(opener_.get(), nullptr, &written, octets(associated), length(associated)));
  must(EVP_DecryptUpdate(opener_.get(), target, &written, octets(ciphertext), length(ciphertext)));
  must(EVP_CIPHER_CTX_ctrl(opener_.get(), EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()));
  if (EVP_DecryptFinal_ex(opener_.get(), target + ciphertext.size(), &written) == 1) return true;
  wipe(out);
  return false;
}

Buffer seal_with_random_nonce(Crypto& crypto, const Secret& key, Bytes associated, Bytes plaintext) {
  Nonce nonce;
  fill_random(nonce);
  Buffer sealed(nonce.size() + plaintext.size() + kTagSize, '\0');
  std::memcpy(sealed.data(), nonce.data(), nonce.size());
  crypto.seal(key, nonce, associated, plaintext, sealed.data() + nonce.size());
  return sealed;
}

bool open_with_nonce(Crypto& crypto, const Secret& key, Bytes associated, Bytes sealed, Buffer& out) {
  Nonce nonce;
  if (sealed.size() < nonce.size()) return false;
  std::memcpy(nonce.data(), sealed.data(), nonce.size());
  return crypto.open(key, nonce, associated, sealed.substr(nonce.size()), out);
}

}  // namespace chancery::journal
