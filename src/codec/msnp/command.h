#pragma once
// Commands: a line of words, and for some a payload whose length is the line's last word.
#include <optional>
#include <string>
#include <vector>

#include "codec/wire/frames.h"
#include "core/bytes.h"

namespace chancery::msnp {

inline constexpr std::size_t kLineSizeMax = 8192;

// Views into a whole frame.
struct Command {
  Bytes name;                 // "MSG"
  std::vector<Bytes> params;  // without the name
  Bytes payload;

  Bytes param(std::size_t i) const { return i < params.size() ? params[i] : Bytes{}; }
};

extern const Framing kFraming;

Command parse_command(Bytes frame);

// A whole line that only MSNP has.
bool is_telling(Side from, const Command& command);

std::optional<std::size_t> to_number(Bytes digits);
// Without the "machine GUID" that MSNP16 puts behind an address.
std::string address_of(Bytes octets);
bool is_address(Bytes octets);

}  // namespace chancery::msnp
