#pragma once
// Packets: type and length in four octets each, little-endian, then so many octets.
#include <cstdint>

#include "codec/wire/frames.h"
#include "core/bytes.h"

namespace chancery::gadu {

inline constexpr std::size_t kHeaderSize = 8;

// What the server sends and what the client sends have numbers of their own.
enum class FromClient : std::uint32_t {
  send_msg = 0x0b,
  login = 0x0c,
  login_ext = 0x13,
  login60 = 0x15,
  login70 = 0x19,
  send_msg80 = 0x2d,
  login80 = 0x31,
  send_msg110 = 0x7d,
  login105 = 0x83,
};
enum class FromServer : std::uint32_t {
  welcome = 0x01,
  login_ok = 0x03,
  login_failed = 0x09,
  recv_msg = 0x0a,
  recv_msg80 = 0x2e,
  login80_ok = 0x35,
  login80_failed = 0x43,
  recv_own_msg110 = 0x5a,
  recv_msg110 = 0x7e,
  login110_ok = 0x9d,
};

extern const Framing kFraming;

std::uint32_t type_of(Bytes packet);
Bytes body_of(Bytes packet);

Likeness probe(Side from, Bytes octets);

}  // namespace chancery::gadu
