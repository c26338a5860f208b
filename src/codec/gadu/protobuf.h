#pragma once
// Fields of a protobuf message (https://protobuf.dev/programming-guides/encoding), as far as Gadu-Gadu 11 needs them.
#include <cstdint>
#include <optional>

#include "core/bytes.h"

namespace chancery::gadu {

// The first field of this number that holds octets; a view into `message`.
std::optional<Bytes> find_octets(Bytes message, std::uint32_t field);
// The first field of this number that is four octets wide.
std::optional<std::uint32_t> find_fixed32(Bytes message, std::uint32_t field);

}  // namespace chancery::gadu
