#pragma once
// Addresses as packets carry them: IPv4 and IPv6 in one type of 16 octets, so that tables need only one.
#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"

namespace chancery::sensor {

// An IPv6 address, or an IPv4 one as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2).
struct Address {
  std::array<std::uint8_t, 16> octets{};

  auto operator<=>(const Address&) const = default;
  bool operator==(const Address& to) const { return halves() == to.halves(); }

  std::array<std::uint64_t, 2> halves() const { return std::bit_cast<std::array<std::uint64_t, 2>>(octets); }

  static Address v4(Bytes four);     // four octets in network order
  static Address v6(Bytes sixteen);  // sixteen
  bool is_v4() const;
  Bytes wire() const;        // 4 or 16 octets in network order; a view of this object
  std::string text() const;  // "192.0.2.1", "2001:db8::1" (RFC 5952)
};

struct Endpoint {
  Address address;
  std::uint16_t port = 0;

  auto operator<=>(const Endpoint&) const = default;
  bool operator==(const Endpoint& to) const { return port == to.port && address == to.address; }
  std::string text() const;  // "192.0.2.1:5222", "[2001:db8::1]:5222"
  // What `text` writes, or an address alone ("192.0.2.1", "2001:db8::1"): then the port is 0.
  static std::optional<Endpoint> parse(std::string_view text);
};

}  // namespace chancery::sensor
