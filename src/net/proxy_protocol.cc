#include "net/proxy_protocol.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>

namespace chancery::net {
namespace {

using namespace std::string_view_literals;

constexpr Bytes kSignature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t kFixedSize = 16;  // signature, version and command, family, length
constexpr std::size_t kV4Size = 12;
constexpr std::size_t kV6Size = 36;

std::uint16_t big16(Bytes octets, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(octets[at]) << 8 |
                                    static_cast<unsigned char>(octets[at + 1]));
}

void put16(Buffer& out, std::uint16_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value & 0xff));
}

std::optional<Address> source_v4(Bytes body) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  std::memcpy(&v4.sin_addr, body.data(), 4);
  v4.sin_port = htons(big16(body, 8));
  return Address(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
}

std::optional<Address> source_v6(Bytes body) {
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  std::memcpy(&v6.sin6_addr, body.data(), 16);
  v6.sin6_port = htons(big16(body, 32));
  return Address(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
}

Buffer mapped(const Address& address) {
  if (address.is_v6()) return Buffer{address.octets()};
  return Buffer(10, '\0') + "\xff\xff" + Buffer{address.octets()};
}

}  // namespace

std::expected<std::optional<ProxyHeader>, std::error_code> parse_proxy_header(Bytes octets) {
  const auto malformed = std::unexpected(std::make_error_code(std::errc::protocol_error));
  const std::size_t seen = std::min(octets.size(), kSignature.size());
  if (octets.substr(0, seen) != kSignature.substr(0, seen)) return malformed;
  if (octets.size() < kFixedSize) return std::nullopt;
  const auto version = static_cast<unsigned char>(octets[12]) >> 4;
  const auto command = static_cast<unsigned char>(octets[12]) & 0x0f;
  if (version != 2 || command > 1) return malformed;
  const std::size_t body_size = big16(octets, 14);
  if (kFixedSize + body_size > kProxyHeaderSizeMax) return malformed;
  if (octets.size() < kFixedSize + body_size) return std::nullopt;
  ProxyHeader header{kFixedSize + body_size, std::nullopt};
  const Bytes body = octets.substr(kFixedSize, body_size);
  const auto family = static_cast<unsigned char>(octets[13]);
  if (command == 0) return header;  // LOCAL: the addresses must be ignored (§2.2)
  if (family == 0x11) {
    if (body_size < kV4Size) return malformed;
    header.client = source_v4(body);
  } else if (family == 0x21) {
    if (body_size < kV6Size) return malformed;
    header.client = source_v6(body);
  }
  return header;
}

Buffer make_proxy_header(const Address& client, const Address& server) {
  const bool v4 = client.is_v4() && server.is_v4();
  Buffer out{kSignature};
  out.push_back('\x21');                // version 2, PROXY
  out.push_back(v4 ? '\x11' : '\x21');  // TCP over IPv4 or IPv6
  put16(out, v4 ? kV4Size : kV6Size);
  out += v4 ? Buffer{client.octets()} : mapped(client);
  out += v4 ? Buffer{server.octets()} : mapped(server);
  put16(out, client.port());
  put16(out, server.port());
  return out;
}

}  // namespace chancery::net
