#pragma once
// Encodings that older protocols use, as UTF-8. What has no meaning in its encoding becomes U+FFFD; nothing throws.
#include <string>

#include "core/bytes.h"

namespace chancery {

// Windows-1252, which is what programs mean by ISO-8859-1: 0x80-0x9f are printable there.
std::string from_windows_1252(Bytes octets);
// Windows-1250, as Polish programs use it.
std::string from_windows_1250(Bytes octets);
// UTF-16, with surrogate pairs; an odd octet at the end is dropped. A byte order mark at the start is not text.
std::string from_utf16_be(Bytes octets);
std::string from_utf16_le(Bytes octets);
// For octets whose encoding nobody states: UTF-8 when it is well-formed, else Windows-1252.
std::string from_unstated(Bytes octets);

void append_utf8(std::string& text, char32_t code_point);

}  // namespace chancery
