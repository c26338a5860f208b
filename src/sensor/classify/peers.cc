#include "sensor/classify/peers.h"

#include "sensor/meta/octets.h"

namespace chancery::sensor {
namespace {

constexpr std::size_t kCompact = 6;  // BEP 23: an IPv4 address and a port

Endpoint read_compact(Bytes six) { return {Address::v4(six.substr(0, 4)), be16(six, 4)}; }

// "6:valuesl6:……6:……e"
void read_values(Bytes octets, std::vector<Endpoint>& out) {
  constexpr Bytes kKey = "6:valuesl", kItem = "6:";
  const auto at = octets.find(kKey);
  if (at == Bytes::npos || !octets.starts_with("d1:rd")) return;
  octets.remove_prefix(at + kKey.size());
  while (octets.starts_with(kItem) && octets.size() >= kItem.size() + kCompact && out.size() < kAnnouncedPeersMax) {
    out.push_back(read_compact(octets.substr(kItem.size(), kCompact)));
    octets.remove_prefix(kItem.size() + kCompact);
  }
}

// Action 1, transaction, interval, leechers, seeders, then peers.
void read_announce(Bytes octets, std::vector<Endpoint>& out) {
  constexpr std::size_t kHead = 20;
  constexpr std::uint32_t kIntervalMax = 86'400;
  if (octets.size() < kHead || (octets.size() - kHead) % kCompact != 0 || be32(octets, 0) != 1) return;
  const std::size_t peers = (octets.size() - kHead) / kCompact;
  if (be32(octets, 8) > kIntervalMax || be32(octets, 12) + std::size_t{be32(octets, 16)} < peers) return;
  for (std::size_t i = 0; i < peers && out.size() < kAnnouncedPeersMax; ++i)
    out.push_back(read_compact(octets.substr(kHead + i * kCompact, kCompact)));
}

}  // namespace

std::vector<Endpoint> announced_peers(Bytes datagram) {
  std::vector<Endpoint> peers;
  if (datagram.starts_with("d1:r"))
    read_values(datagram, peers);
  else
    read_announce(datagram, peers);
  return peers;
}

}  // namespace chancery::sensor
