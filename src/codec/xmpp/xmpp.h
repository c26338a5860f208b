#pragma once
// XMPP (RFC 6120, RFC 6121) between a client and its server. What is read, what is rewritten and what is not covered:
// docs/protocols/xmpp.md.
#include "codec/codec.h"

namespace chancery::xmpp {

extern const Protocol kProtocol;

}  // namespace chancery::xmpp
