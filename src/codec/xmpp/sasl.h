#pragma once
// The one thing that is read out of SASL exchanges: who wants to sign in. Passwords and proofs are never looked at.
#include <string>
#include <string_view>

#include "core/bytes.h"

namespace chancery::xmpp {

// The authentication identity in a mechanism's first message (base64, as in <auth/> or <response/>); empty when the
// mechanism does not show it, or the message is not what the mechanism says. PLAIN (RFC 4616), SCRAM-* (RFC 5802),
// DIGEST-MD5 (RFC 2831).
std::string sasl_username(std::string_view mechanism, std::string_view message);

}  // namespace chancery::xmpp
