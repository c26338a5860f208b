#pragma once
// UTF-8 as Unicode §3.9 table 3-7 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
#include "core/bytes.h"

namespace chancery {

bool is_utf8(Bytes octets);

// A copy in which each maximal ill-formed part is U+FFFD (Unicode §3.9, "substitution of maximal subparts"). For
// showing and indexing only; evidence keeps the octets as they came.
std::string to_utf8_lossy(Bytes octets);

}  // namespace chancery
