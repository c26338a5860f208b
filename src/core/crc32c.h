#pragma once
// CRC-32C (Castagnoli, RFC 3720 §12.1), for finding accidental damage in files; the Merkle log finds the rest.
#include <cstdint>

#include "core/bytes.h"

namespace chancery {

// Continue from an earlier value with `crc`; 0 starts anew.
std::uint32_t crc32c(Bytes octets, std::uint32_t crc = 0);

// A CRC stored beside data that itself holds CRCs is masked, as LevelDB's log format explains: the CRC of a string
// that contains its own CRC is a weak check.
constexpr std::uint32_t mask_crc(std::uint32_t crc) { return ((crc >> 15) | (crc << 17)) + 0xa282ead8U; }

}  // namespace chancery
