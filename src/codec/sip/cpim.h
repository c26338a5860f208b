#pragma once
// message/cpim (RFC 3862): who, to whom and when, around what was said.
#include <optional>
#include <string>

#include "codec/codec.h"

namespace chancery::sip {

struct Cpim {
  std::string from;
  std::string to;
  std::optional<Instant> time;
  Bytes type;
  Bytes content;
};

// A body that is none: nullopt.
std::optional<Cpim> parse_cpim(Bytes body);

// What of a body with this Content-Type is text that a person wrote; nullopt: nothing of it. Undoes message/cpim.
struct Content {
  Bytes source;
  std::string text;
  std::string html;  // as it was written, where it was HTML
  std::optional<Cpim> cpim;
};
std::optional<Content> read_content(Bytes type, Bytes body);

}  // namespace chancery::sip
