#include "merkle/ed25519.h"

#include <cstdlib>
#include <openssl/evp.h>

namespace chancery::merkle {
namespace {

const unsigned char* octets(Bytes bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

}  // namespace

std::expected<PrivateKey, std::error_code> PrivateKey::from_seed(Bytes seed) {
  if (seed.size() != kEd25519KeySize) return std::unexpected(std::make_error_code(std::errc::message_size));
  EVP_PKEY* key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets(seed), seed.size());
  return adopt({key, EVP_PKEY_free});
}

std::expected<PrivateKey, std::error_code> PrivateKey::adopt(std::shared_ptr<evp_pkey_st> key) {
  if (!key || EVP_PKEY_get_id(key.get()) != EVP_PKEY_ED25519)
    return std::unexpected(std::make_error_code(std::errc::invalid_argument));
  PrivateKey result;
  std::size_t size = result.public_key_.size();
  if (EVP_PKEY_get_raw_public_key(key.get(), result.public_key_.data(), &size) != 1 || size != kEd25519KeySize)
    return std::unexpected(std::make_error_code(std::errc::invalid_argument));
  result.key_ = std::move(key);
  return result;
}

Buffer PrivateKey::sign(Bytes message) const {
  const Context context{EVP_MD_CTX_new()};
  Buffer signature(kEd25519SignatureSize, '\0');
  std::size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, octets(message),
                     message.size()) != 1)
    std::abort();  // a valid key signs anything
  return signature;
}

Buffer PrivateKey::seed() const {
  Buffer seed(kEd25519KeySize, '\0');
  std::size_t size = seed.size();
  if (EVP_PKEY_get_raw_private_key(key_.get(), reinterpret_cast<unsigned char*>(seed.data()), &size) != 1) std::abort();
  return seed;
}

bool verify(const PublicKey& key, Bytes message, Bytes signature) {
  if (signature.size() != kEd25519SignatureSize) return false;
  const std::shared_ptr<EVP_PKEY> public_key{
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()), EVP_PKEY_free};
  const Context context{EVP_MD_CTX_new()};
  return public_key && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, public_key.get()) == 1 &&
         EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(message), message.size()) == 1;
}

}  // namespace chancery::merkle
