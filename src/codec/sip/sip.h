#pragma once
// SIP as a messenger: MESSAGE (RFC 3428) and REGISTER, over datagrams and streams (RFC 3261 §18). Read only:
// docs/protocols/sip.md.
#include "codec/codec.h"

namespace chancery::sip {

extern const Protocol kProtocol;

}  // namespace chancery::sip
