#pragma once
// Asks an upstream XMPP server what `config check` cannot read from a file: does it answer, is its certificate trusted,
// and would it refuse a client that can bind to a TLS channel? The gateway ends TLS on both sides, so it takes what
// binds (SCRAM-…-PLUS, XEP-0440) out of the offer; such a client then says so by the gs2 flag `y`, and a server that
// could have bound must refuse it (RFC 5802 §6).
#include <chrono>
#include <string>
#include <vector>

#include "gateway/config.h"

namespace chancery::app {

struct ProbeResult {
  std::string error;        // why it could not be asked; empty: it was
  std::string server;       // what the server calls itself, where it does: "prosody", "ejabberd"
  std::string tls_version;  // "TLSv1.3"; empty: without TLS
  std::vector<std::string> mechanisms;
  std::vector<std::string> bindings;  // XEP-0440 types
  // The answer to a sign-in with the flag `y` as a user who does not exist: would a `y` be refused for its own sake?
  enum class Flag : std::uint8_t { not_asked, accepted, refused };
  Flag y_flag = Flag::not_asked;
  std::string y_condition;  // the failure's condition, for the message
};

// Connects as the route says, with blocking calls that end by `timeout` in all. Leaves one failed sign-in of the user
// "chancery-config-check" in the server's log.
ProbeResult probe_xmpp(const gateway::Route& route, const std::string& domain, std::chrono::milliseconds timeout);

// The sentences that an operator reads: empty when all is well.
std::vector<std::string> explain(const ProbeResult& result);

}  // namespace chancery::app
