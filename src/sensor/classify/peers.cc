#include "sensor/classify/peers.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "sensor/meta/http.h"
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

// The octets of the bencoded string at the begin; nothing while they are not all there.
std::optional<Bytes> bencoded_string(Bytes octets) {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(octets.data(), octets.data() + octets.size(), size);
  const auto digits = static_cast<std::size_t>(end - octets.data());
  if (error != std::errc{} || !octets.substr(digits).starts_with(':') || octets.size() - digits - 1 < size)
    return std::nullopt;
  return octets.substr(digits + 1, size);
}

constexpr Bytes kPeers = "5:peers";

std::optional<Bytes> body_of(Bytes answer) {
  HttpHead head;
  if (parse_http(answer, head) != Parsed::yes || !head.complete || head.status != 200) return std::nullopt;
  return answer.substr(std::min(head.size, answer.size()));
}

}  // namespace

std::optional<std::uint16_t> own_port(Bytes datagram) {
  constexpr std::size_t kAnnounce = 98, kEventAt = 80, kPortAt = 96;  // BEP 15; action 1 behind the connection's id
  if (datagram.size() < kAnnounce || be32(datagram, 8) != 1 || be32(datagram, kEventAt) > 3) return std::nullopt;
  return be16(datagram, kPortAt);
}

std::optional<std::uint16_t> own_port_in_path(Bytes path) {
  constexpr Bytes kPort = "port=";
  for (std::size_t at = path.find(kPort); at != Bytes::npos; at = path.find(kPort, at + 1)) {
    if (at == 0 || (path[at - 1] != '?' && path[at - 1] != '&')) continue;
    const Bytes digits = path.substr(at + kPort.size());
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error == std::errc{} && (end == digits.data() + digits.size() || *end == '&')) return port;
  }
  return std::nullopt;
}

std::vector<Endpoint> tracker_peers(Bytes answer) {
  std::vector<Endpoint> peers;
  const std::optional<Bytes> body = body_of(answer);
  if (!body || !body->starts_with('d')) return peers;
  const std::size_t at = body->find(kPeers);
  if (at == Bytes::npos) return peers;
  Bytes list = bencoded_string(body->substr(at + kPeers.size())).value_or(Bytes{});
  for (; list.size() >= kCompact && peers.size() < kAnnouncedPeersMax; list.remove_prefix(kCompact))
    peers.push_back(read_compact(list));
  return peers;
}

bool is_whole_answer(Bytes answer) {
  HttpHead head;
  const Parsed parsed = parse_http(answer, head);
  if (parsed == Parsed::need_more || (parsed == Parsed::yes && !head.complete)) return false;
  const std::optional<Bytes> body = body_of(answer);
  if (!body) return true;
  const std::size_t at = body->find(kPeers);
  return at == Bytes::npos ? body->ends_with('e') : bencoded_string(body->substr(at + kPeers.size())).has_value();
}

std::vector<Endpoint> announced_peers(Bytes datagram) {
  std::vector<Endpoint> peers;
  if (datagram.starts_with("d1:r"))
    read_values(datagram, peers);
  else
    read_announce(datagram, peers);
  return peers;
}

}  // namespace chancery::sensor
