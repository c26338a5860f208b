#pragma once
// Gadu-Gadu, versions 6 to 11: who signs in, and messages. Read only: docs/protocols/gadu.md.
#include "codec/codec.h"

namespace chancery::gadu {

extern const Protocol kProtocol;

}  // namespace chancery::gadu
