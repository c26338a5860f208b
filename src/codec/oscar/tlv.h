#pragma once
// TLVs (type, length, value) and the user information blocks made of them.
#include <cstdint>
#include <optional>

#include "codec/wire/octets.h"
#include "core/bytes.h"

namespace chancery::oscar {

struct Tlv {
  std::uint16_t type = 0;
  Bytes value;
};

// The next TLV of `in`; nullopt: none is left, or the rest is none.
std::optional<Tlv> next_tlv(Octets& in);

// The value of the first TLV of `type` in `block`. Not there: nullopt; there without a value: empty.
std::optional<Bytes> find_tlv(Bytes block, std::uint16_t type);

// A name with one octet of length in front.
Bytes take_name(Octets& in);

// "user info": name, warning level, number of TLVs, TLVs. What is given is the name.
Bytes take_user(Octets& in);

}  // namespace chancery::oscar
