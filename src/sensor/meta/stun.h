#pragma once
// STUN and TURN messages (RFC 8489, RFC 8656), also as framed on TCP (RFC 4571, and bare as RFC 8489 §6.2.2 has it)
// and Microsoft's multiplexed TURN ([MS-TURN]). Old STUN without the cookie (RFC 3489) is not read: it cannot be told
// apart safely.
#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.h"
#include "sensor/packet/endpoint.h"

namespace chancery::sensor {

inline constexpr std::size_t kStunAttributesMax = 64;

struct StunMessage {
  std::uint16_t type = 0;
  Bytes realm, software;                  // views of the datagram
  std::vector<std::uint16_t> attributes;  // types, in order
  std::optional<Endpoint> peer;           // XOR-PEER-ADDRESS

  bool has(std::uint16_t attribute) const;
};

// Nothing: not a STUN message, or its attributes do not fill it.
std::optional<StunMessage> parse_stun(Bytes datagram);
std::optional<StunMessage> parse_stun_stream(Bytes stream);

}  // namespace chancery::sensor
