#include "sensor/meta/certificate.h"

#include <memory>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "sensor/meta/tls.h"

namespace chancery::sensor {
namespace {

struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

Bytes view(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

void add(std::vector<std::string>& names, Bytes name) {
  if (std::string host = normal_host(name); !host.empty()) names.push_back(std::move(host));
}

}  // namespace

std::vector<std::string> certificate_names(Bytes der, std::size_t names_max) {
  std::vector<std::string> names;
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const std::unique_ptr<X509, FreeCertificate> certificate{d2i_X509(nullptr, &at, static_cast<long>(der.size()))};
  if (!certificate) return names;
  const std::unique_ptr<GENERAL_NAMES, FreeNames> others{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate.get(), NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; others && i < sk_GENERAL_NAME_num(others.get()) && names.size() < names_max; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(others.get(), i);
    if (name->type == GEN_DNS) add(names, view(name->d.dNSName));
  }
  const X509_NAME* subject = X509_get_subject_name(certificate.get());
  if (const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1); names.empty() && index >= 0)
    add(names, view(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index))));
  return names;
}

}  // namespace chancery::sensor
