// What the probe found, in an operator's words. The settings are those of Prosody 0.12 and ejabberd 23, tried on both.
#include <algorithm>
#include <fmt/format.h>

#include "app/config_probe.h"

namespace chancery::app {
namespace {

// Prosody 0.12 knows tls-unique only, which TLS 1.3 does not have. On TLS 1.2 it refuses `y` whether or not it offers
// -PLUS, so disable_sasl_mechanisms is no cure there.
constexpr std::string_view kProsody =
    "Prosody: let it speak TLS 1.3 with the gateway, ssl = { protocol = \"tlsv1_2+\" }, where it does not bind "
    "(disable_sasl_mechanisms alone is not enough)";
constexpr std::string_view kEjabberd =
    "ejabberd: disable_sasl_mechanisms: [SCRAM-SHA-1-PLUS, SCRAM-SHA-256-PLUS, SCRAM-SHA-512-PLUS]";

}  // namespace

std::vector<std::string> explain(const ProbeResult& result) {
  if (!result.error.empty()) return {"the upstream could not be asked: " + result.error};
  std::vector<std::string> offered;
  std::ranges::copy_if(result.mechanisms, std::back_inserter(offered),
                       [](const std::string& mechanism) { return mechanism.ends_with("-PLUS"); });
  for (const auto& binding : result.bindings) offered.push_back("channel binding " + binding);

  std::vector<std::string> sentences;
  if (result.y_flag == ProbeResult::Flag::refused)
    sentences.push_back(
        fmt::format("clients that could bind to a TLS channel will not get in: the server refuses the "
                    "flag `y` ({}, over {}; RFC 5802 §6). {}. {}",
                    result.y_condition, result.tls_version, kProsody, kEjabberd));
  else if (!offered.empty())
    sentences.push_back(
        fmt::format("the server offers {}: a client that could bind, and is not offered it through the "
                    "gateway, may be refused (RFC 5802 §6). {}. {}",
                    fmt::join(offered, ", "), kEjabberd, kProsody));
  if (result.mechanisms.empty())
    sentences.push_back("the server offers no way to sign in on this connection; does it require TLS (route: tls)?");
  return sentences;
}

}  // namespace chancery::app
