#include "sensor/meta/digest.h"

#include <array>
#include <memory>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace chancery::sensor {
namespace {

constexpr std::size_t kTagSize = 16;

const unsigned char* in(Bytes octets) { return reinterpret_cast<const unsigned char*>(octets.data()); }
unsigned char* out(Buffer& octets) { return reinterpret_cast<unsigned char*>(octets.data()); }

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

Buffer encrypt(const EVP_CIPHER* kind, Bytes key, Bytes iv, Bytes octets) {
  const Cipher cipher{EVP_CIPHER_CTX_new()};
  Buffer result(octets.size() + EVP_MAX_BLOCK_LENGTH, '\0');
  int size = 0;
  const bool done =
      cipher && EVP_EncryptInit_ex(cipher.get(), kind, nullptr, in(key), in(iv)) == 1 &&
      EVP_CIPHER_CTX_set_padding(cipher.get(), 0) == 1 &&
      EVP_EncryptUpdate(cipher.get(), out(result), &size, in(octets), static_cast<int>(octets.size())) == 1;
  result.resize(done ? static_cast<std::size_t>(size) : 0);
  return result;
}

}  // namespace

Buffer md5(Bytes octets) {
  Buffer digest(16, '\0');
  unsigned size = 0;
  if (EVP_Digest(octets.data(), octets.size(), out(digest), &size, EVP_md5(), nullptr) != 1) digest.clear();
  return digest;
}

Buffer hmac_sha256(Bytes key, Bytes octets) {
  Buffer digest(32, '\0');
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), in(octets), octets.size(), out(digest), &size) ==
      nullptr)
    digest.clear();
  return digest;
}

Buffer hkdf_expand_label(Bytes secret, Bytes label, std::size_t size) {
  Buffer info;
  info.push_back('\0');
  info.push_back(static_cast<char>(size));
  info.push_back(static_cast<char>(6 + label.size()));
  info.append("tls13 ").append(label);
  info.push_back('\0');
  info.push_back('\1');  // RFC 5869 §2.3: T(1)
  return hmac_sha256(secret, info).substr(0, size);
}

Buffer aes_128_block(Bytes key, Bytes block) {
  if (key.size() != 16 || block.size() != 16) return {};
  return encrypt(EVP_aes_128_ecb(), key, {}, block);
}

std::optional<Buffer> aes_128_gcm_open(Bytes key, Bytes nonce, Bytes header, Bytes sealed) {
  if (key.size() != 16 || nonce.size() != 12 || sealed.size() < kTagSize) return std::nullopt;
  const Bytes text = sealed.substr(0, sealed.size() - kTagSize);
  std::array<char, kTagSize> tag{};
  sealed.substr(text.size()).copy(tag.data(), tag.size());
  const Cipher cipher{EVP_CIPHER_CTX_new()};
  Buffer clear(text.size() + 1, '\0');  // never empty, so that its data is a valid place
  int size = 0;
  const bool done = cipher && EVP_DecryptInit_ex(cipher.get(), EVP_aes_128_gcm(), nullptr, in(key), in(nonce)) == 1 &&
                    EVP_DecryptUpdate(cipher.get(), nullptr, &size, in(header), static_cast<int>(header.size())) == 1 &&
                    EVP_DecryptUpdate(cipher.get(), out(clear), &size, in(text), static_cast<int>(text.size())) == 1 &&
                    EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagSize, tag.data()) == 1;
  std::array<unsigned char, EVP_MAX_BLOCK_LENGTH> none{};
  int none_size = 0;
  if (!done || EVP_DecryptFinal_ex(cipher.get(), none.data(), &none_size) != 1) return std::nullopt;
  clear.resize(text.size());
  return clear;
}

Buffer aes_256_ctr(Bytes key, Bytes counter, Bytes octets) {
  if (key.size() != 32 || counter.size() != 16) return {};
  return encrypt(EVP_aes_256_ctr(), key, counter, octets);
}

}  // namespace chancery::sensor
