#pragma once
// MSRP (RFC 4975): SEND, with its chunks. Read only: docs/protocols/sip.md.
#include "codec/codec.h"

namespace chancery::msrp {

extern const Protocol kProtocol;

}  // namespace chancery::msrp
