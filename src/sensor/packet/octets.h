#pragma once
// Numbers in network order. The caller has checked that they are there.
#include <bit>
#include <cstdint>
#include <cstring>

#include "core/bytes.h"

namespace chancery::sensor {

inline std::uint8_t octet(Bytes octets, std::size_t at) { return static_cast<std::uint8_t>(octets[at]); }

inline std::uint16_t be16(Bytes octets, std::size_t at) {
  std::uint16_t value = 0;
  std::memcpy(&value, octets.data() + at, sizeof value);
  return std::endian::native == std::endian::little ? std::byteswap(value) : value;
}

inline std::uint32_t be32(Bytes octets, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, octets.data() + at, sizeof value);
  return std::endian::native == std::endian::little ? std::byteswap(value) : value;
}

}  // namespace chancery::sensor
