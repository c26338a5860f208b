#pragma once
// Names in a certificate (RFC 5280). Behind OpenSSL's parser, which has been fuzzed for years; this is its adapter.
#include <string>
#include <vector>

#include "core/bytes.h"

namespace chancery::sensor {

// The DNS names of subjectAltName, or else the subject's common name; lower case, at most `names_max`. Not a
// certificate: none.
std::vector<std::string> certificate_names(Bytes der, std::size_t names_max);

}  // namespace chancery::sensor
