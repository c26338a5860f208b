#include "app/up/certificates.h"

#include <array>
#include <memory>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "app/context.h"
#include "app/up/folder.h"

namespace chancery::app::up {
namespace fs = std::filesystem;
namespace {

constexpr long kValidSeconds = 10L * 365 * 24 * 3600;
constexpr long kRenewSeconds = 30L * 24 * 3600;

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Memory = std::unique_ptr<BIO, Freed<BIO_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

void require(bool done, const char* what) {
  if (!done) throw Failure(std::string{"making a certificate failed: "} + what);
}

std::string text_of(BIO* memory) {
  char* data = nullptr;
  const long size = BIO_ctrl(memory, BIO_CTRL_INFO, 0, static_cast<void*>(&data));
  return {data, static_cast<std::size_t>(size)};
}

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value)};
  require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, value);
}

struct Authority {
  Key key;
  Certificate certificate;
};

// `issuer` null: self-signed, an authority.
Certificate make(EVP_PKEY* key, const std::string& common_name, const std::string& names, const Authority* issuer) {
  Certificate certificate{X509_new()};
  X509* const raw = certificate.get();
  std::array<unsigned char, 8> serial{};
  require(RAND_bytes(serial.data(), static_cast<int>(serial.size())) == 1, "no randomness");
  serial[0] &= 0x7f;
  const std::unique_ptr<BIGNUM, Freed<BN_free>> number{
      BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr)};
  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(raw));
  X509_set_version(raw, X509_VERSION_3);
  X509_gmtime_adj(X509_getm_notBefore(raw), -3600);
  X509_gmtime_adj(X509_getm_notAfter(raw), kValidSeconds);
  X509_set_pubkey(raw, key);
  X509_NAME* const subject = X509_get_subject_name(raw);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name.c_str()),
                             -1, -1, 0);
  X509* const signer = issuer != nullptr ? issuer->certificate.get() : raw;
  X509_set_issuer_name(raw, X509_get_subject_name(signer));
  add_extension(raw, signer, NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
  add_extension(raw, signer, NID_key_usage,
                issuer == nullptr ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
  add_extension(raw, signer, NID_subject_key_identifier, "hash");
  if (issuer != nullptr) {
    add_extension(raw, signer, NID_authority_key_identifier, "keyid");
    add_extension(raw, signer, NID_subject_alt_name, names.c_str());
  }
  require(X509_sign(raw, issuer != nullptr ? issuer->key.get() : key, EVP_sha256()) > 0, "signing");
  return certificate;
}

void write_pair(const fs::path& folder, const std::string& name, EVP_PKEY* key, X509* certificate) {
  const Memory key_text{BIO_new(BIO_s_mem())};
  const Memory certificate_text{BIO_new(BIO_s_mem())};
  require(PEM_write_bio_PrivateKey(key_text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "encoding the key");
  require(PEM_write_bio_X509(certificate_text.get(), certificate) == 1, "encoding the certificate");
  write_file(folder / (name + ".key"), text_of(key_text.get()), kPrivateFile);
  write_file(folder / (name + ".pem"), text_of(certificate_text.get()), kPublicFile);
}

Certificate read_certificate(const fs::path& path) {
  const std::string text = read_file(path);
  const Memory memory{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
  return Certificate{PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr)};
}

bool still_good(const fs::path& folder, const std::string& name) {
  if (!fs::exists(folder / (name + ".key"))) return false;
  const Certificate certificate = read_certificate(folder / (name + ".pem"));
  if (certificate == nullptr) return false;
  std::time_t later = std::time(nullptr) + kRenewSeconds;
  return X509_cmp_time(X509_get0_notAfter(certificate.get()), &later) > 0;
}

Authority open_authority(const fs::path& folder) {
  const std::string text = read_file(folder / "ca.key");
  const Memory memory{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
  Authority authority{Key{PEM_read_bio_PrivateKey(memory.get(), nullptr, nullptr, nullptr)},
                      read_certificate(folder / "ca.pem")};
  require(authority.key != nullptr && authority.certificate != nullptr,
          "ca.key or ca.pem cannot be read; remove both to make them anew");
  return authority;
}

Key new_key() {
  Key key{EVP_EC_gen("P-256")};
  require(key != nullptr, "a new key");
  return key;
}

}  // namespace

void make_certificates(const fs::path& folder, const std::vector<std::string>& names, const std::string& domain) {
  bool fresh_authority = false;
  if (!still_good(folder, "ca")) {
    const Key key = new_key();
    write_pair(folder, "ca", key.get(), make(key.get(), "Chancery sample authority", "", nullptr).get());
    fresh_authority = true;
  }
  const Authority authority = open_authority(folder);
  const std::string alternatives = "DNS:" + domain + ",DNS:conference." + domain + ",DNS:localhost,IP:127.0.0.1";
  for (const auto& name : names) {
    if (!fresh_authority && still_good(folder, name)) continue;
    const Key key = new_key();
    write_pair(folder, name, key.get(), make(key.get(), domain, alternatives, &authority).get());
  }
}

}  // namespace chancery::app::up
