#pragma once
// Hexadecimal and base64 (RFC 4648), strict: what decodes has exactly one encoding.
#include <optional>
#include <string>

#include "core/bytes.h"

namespace chancery {

std::string to_hex(Bytes octets);                       // lower case
std::optional<Buffer> from_hex(std::string_view text);  // lower or upper case; odd length: nullopt

std::string to_base64(Bytes octets);  // RFC 4648 §4, padded
// Refuses missing padding, stray characters and non-zero trailing bits (RFC 4648 §3.5).
std::optional<Buffer> from_base64(std::string_view text);

}  // namespace chancery
