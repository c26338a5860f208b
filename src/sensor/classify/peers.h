#pragma once
// Peers that BitTorrent's answers announce: a DHT answer's values (BEP 5) and a UDP tracker's list (BEP 15).
#include <vector>

#include "core/bytes.h"
#include "sensor/packet/endpoint.h"

namespace chancery::sensor {

inline constexpr std::size_t kAnnouncedPeersMax = 256;  // of one datagram

std::vector<Endpoint> announced_peers(Bytes datagram);

}  // namespace chancery::sensor
