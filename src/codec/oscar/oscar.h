#pragma once
// OSCAR, the protocol of AIM and ICQ: FLAP, SNAC, TLV. Read only. What is read and what is not covered:
// docs/protocols/oscar.md.
#include "codec/codec.h"

namespace chancery::oscar {

extern const Protocol kProtocol;

}  // namespace chancery::oscar
