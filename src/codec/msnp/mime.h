#pragma once
// The payload of MSG: header lines, an empty line, a body.
#include <string_view>

#include "core/bytes.h"

namespace chancery::msnp {

struct Mime {
  Bytes headers;  // without the empty line
  Bytes body;

  // Without spaces around it; empty: not there. Names are compared without regard to capitals.
  Bytes header(std::string_view name) const;
  // "text/plain" of "text/plain; charset=UTF-8".
  Bytes type() const;
};

Mime parse_mime(Bytes payload);

// "Name: value" in a block of lines.
Bytes find_header(Bytes lines, std::string_view name);

}  // namespace chancery::msnp
