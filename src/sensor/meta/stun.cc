#include "sensor/meta/stun.h"

#include <algorithm>
#include <array>

#include "sensor/meta/octets.h"

namespace chancery::sensor {
namespace {

constexpr std::uint32_t kCookie = 0x2112a442;
constexpr std::size_t kHeaderSize = 20;
constexpr std::uint16_t kXorPeerAddress = 0x0012, kRealm = 0x0014, kSoftware = 0x8022;

// RFC 8489 §14.2: the port and the address are masked with the cookie and the transaction id.
std::optional<Endpoint> read_masked_address(Bytes value, Bytes message) {
  const std::uint8_t family = octet(value, 1);
  const std::size_t size = family == 1 ? 4 : 16;
  if ((family != 1 && family != 2) || value.size() != 4 + size) return std::nullopt;
  std::array<char, 16> address{};
  for (std::size_t i = 0; i < size; ++i) address[i] = static_cast<char>(octet(value, 4 + i) ^ octet(message, 4 + i));
  Endpoint endpoint;
  endpoint.port = static_cast<std::uint16_t>(be16(value, 2) ^ (kCookie >> 16));
  endpoint.address = size == 4 ? Address::v4({address.data(), 4}) : Address::v6({address.data(), 16});
  return endpoint;
}

}  // namespace

bool StunMessage::has(std::uint16_t attribute) const {
  return std::ranges::find(attributes, attribute) != attributes.end();
}

std::optional<StunMessage> parse_stun(Bytes datagram) {
  constexpr std::size_t kMultiplexedHead = 12;
  if (datagram.size() >= kHeaderSize + kMultiplexedHead && be16(datagram, 0) == 0xff10 &&
      be16(datagram, 2) + 4U == datagram.size())
    datagram.remove_prefix(kMultiplexedHead);
  if (datagram.size() < kHeaderSize || be32(datagram, 4) != kCookie || (octet(datagram, 0) & 0xc0) != 0)
    return std::nullopt;
  if (be16(datagram, 2) + kHeaderSize != datagram.size()) return std::nullopt;
  StunMessage message;
  message.type = be16(datagram, 0);
  Reader reader{datagram.substr(kHeaderSize)};
  while (reader.left() >= 4 && message.attributes.size() < kStunAttributesMax) {
    const std::uint16_t type = reader.u16();
    const std::uint16_t size = reader.u16();
    const Bytes value = reader.take(size);
    if (!reader.ok()) return std::nullopt;
    if (size % 4 != 0) reader.take(std::min<std::size_t>(reader.left(), 4U - size % 4));
    message.attributes.push_back(type);
    if (type == kRealm) message.realm = value;
    if (type == kSoftware) message.software = value;
    if (type == kXorPeerAddress && !message.peer) message.peer = read_masked_address(value, datagram);
  }
  return message;
}

std::optional<StunMessage> parse_stun_stream(Bytes stream) {
  const auto whole = [](Bytes octets) -> std::optional<StunMessage> {
    if (octets.size() < kHeaderSize || be32(octets, 4) != kCookie) return std::nullopt;
    const std::size_t size = kHeaderSize + be16(octets, 2);
    return octets.size() >= size ? parse_stun(octets.substr(0, size)) : std::nullopt;
  };
  if (auto bare = whole(stream)) return bare;
  if (stream.size() < 2) return std::nullopt;
  const std::size_t size = be16(stream, 0);
  return size >= kHeaderSize && stream.size() >= 2 + size ? whole(stream.substr(2, size)) : std::nullopt;
}

}  // namespace chancery::sensor
