#pragma once
// What a server says of itself in 005, as far as names depend on it.
// https://modern.ircdocs.horse/#rplisupport-005
#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.h"

namespace chancery::irc {

enum class Casemap : std::uint8_t { ascii, rfc1459, rfc1459_strict };

char fold(char c, Casemap map);
bool same_name(Bytes a, Bytes b, Casemap map);

// Orders names that are the same as equal.
struct NameLess {
  Casemap map = Casemap::rfc1459;
  using is_transparent = void;
  bool operator()(Bytes a, Bytes b) const;
};

struct Network {
  Casemap casemap = Casemap::rfc1459;  // RFC 2812 §2.2
  std::string channel_types = "#&+!";  // RFC 2812 §1.3
  std::string prefixes = "~&@%+";      // of members, and of targets that mean some of them ("@#room")

  // One token of 005.
  void learn(std::string_view token);

  bool is_channel(Bytes name) const;
  // The channel of "@#room" and of "#room"; empty: a person, or something else.
  Bytes channel_of(Bytes target) const;
};

}  // namespace chancery::irc
