#include "codec/xmpp/sasl.h"

#include "core/encoding.h"
#include "core/utf8.h"

namespace chancery::xmpp {
namespace {

// RFC 4616 §2: [authzid] NUL authcid NUL passwd
std::string plain_username(Bytes message) {
  const auto first = message.find('\0');
  if (first == Bytes::npos) return {};
  const auto second = message.find('\0', first + 1);
  if (second == Bytes::npos) return {};
  return std::string{message.substr(first + 1, second - first - 1)};
}

// RFC 5802 §7: gs2-header "n=" saslname "," …; in a saslname, "=2C" is a comma and "=3D" an equals sign.
std::string scram_username(Bytes message) {
  auto at = message.find(',');
  if (at == Bytes::npos) return {};
  at = message.find(',', at + 1);
  if (at == Bytes::npos || !message.substr(at + 1).starts_with("n=")) return {};
  const Bytes name = message.substr(at + 3, message.find(',', at + 3) - (at + 3));
  std::string decoded;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const Bytes escape = name.substr(i, 3);
    if (escape == "=2C" || escape == "=3D") {
      decoded.push_back(escape == "=2C" ? ',' : '=');
      i += 2;
    } else {
      decoded.push_back(name[i]);
    }
  }
  return decoded;
}

// RFC 2831 §2.1.2: username="…" among comma-separated directives.
std::string digest_username(Bytes message) {
  constexpr Bytes kKey = "username=\"";
  const auto begin = message.find(kKey);
  if (begin == Bytes::npos) return {};
  const Bytes rest = message.substr(begin + kKey.size());
  return std::string{rest.substr(0, rest.find('"'))};
}

}  // namespace

std::string sasl_username(std::string_view mechanism, std::string_view message) {
  const auto octets = from_base64(message);
  if (!octets) return {};
  std::string name;
  if (mechanism == "PLAIN")
    name = plain_username(*octets);
  else if (mechanism.starts_with("SCRAM-"))
    name = scram_username(*octets);
  else if (mechanism == "DIGEST-MD5")
    name = digest_username(*octets);
  return is_utf8(name) ? name : std::string{};
}

}  // namespace chancery::xmpp
