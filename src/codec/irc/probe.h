#pragma once
#include "codec/codec.h"

namespace chancery::irc {

// Whether octets from the beginning or the middle of a stream are IRC. A beginning that other line protocols share
// (PASS, USER with one word) is not enough.
Likeness probe(Side from, Bytes octets);

}  // namespace chancery::irc
