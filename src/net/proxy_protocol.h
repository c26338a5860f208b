#pragma once
// PROXY protocol version 2 (HAProxy, doc/proxy-protocol.txt §2.2): who the client is when a load balancer stands
// between. Pure: octets in, octets out. Version 1 and UNIX addresses are not taken.
#include <cstddef>
#include <expected>
#include <optional>
#include <system_error>

#include "core/bytes.h"
#include "net/address.h"

namespace chancery::net {

inline constexpr std::size_t kProxyHeaderSizeMax = 16 + 2'048;  // fixed part, addresses and TLVs; longer: refused

struct ProxyHeader {
  std::size_t size = 0;           // octets of the header
  std::optional<Address> client;  // nullopt: LOCAL (the balancer's own health check) or an unspecified family
};

// A whole header at the start of `octets`; nullopt inside: more octets are needed. Error: not such a header.
std::expected<std::optional<ProxyHeader>, std::error_code> parse_proxy_header(Bytes octets);

// `client` and `server` (where the client connected to); of different families: written as IPv4-mapped IPv6.
Buffer make_proxy_header(const Address& client, const Address& server);

}  // namespace chancery::net
