#pragma once
// SIP messages: a start line, header fields, a body (RFC 3261 §7).
#include <string>
#include <string_view>

#include "codec/wire/frames.h"
#include "core/bytes.h"

namespace chancery::sip {

inline constexpr std::size_t kHeaderMax = 16'384;  // octets before the body

// Views into the wire.
struct Message {
  Bytes start_line;
  Bytes headers;
  Bytes body;

  // The value of the first such field; `compact` is its one-letter name (RFC 3261 §7.3.3).
  Bytes field(std::string_view name, std::string_view compact = {}) const;
  Bytes method() const;  // of a request; empty: a response
  int status() const;    // of a response; 0: a request
};

extern const Framing kFraming;

Message parse_message(Bytes wire);

// "alice@im.test" of `"Alice" <sip:alice@im.test;transport=udp>;tag=1`.
std::string address_of(Bytes value);

// "Name: value" in a block of lines; empty: not there. Names are compared without regard to capitals.
Bytes find_field(Bytes lines, std::string_view name, std::string_view compact = {});
Bytes trim(Bytes text);
bool same_word(Bytes a, Bytes b);  // without regard to capitals

}  // namespace chancery::sip
