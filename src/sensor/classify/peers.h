#pragma once
// Peers that BitTorrent announces: a DHT answer's values (BEP 5), the list of a tracker over UDP (BEP 15) or HTTP (BEP
// 3, BEP 23), and whoever asks a tracker, by the port that he says he listens on.
#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.h"
#include "sensor/packet/endpoint.h"

namespace chancery::sensor {

inline constexpr std::size_t kAnnouncedPeersMax = 256;  // of one datagram

std::vector<Endpoint> announced_peers(Bytes datagram);
// The port at which the sender of this datagram to a UDP tracker takes connections.
std::optional<std::uint16_t> own_port(Bytes datagram);

// A tracker over HTTP: the port in a request's path, and the peers in an answer (compact form only), from its first
// line on.
std::optional<std::uint16_t> own_port_in_path(Bytes path);
std::vector<Endpoint> tracker_peers(Bytes answer);
// Whether `answer` is as far there as it needs to be for that, or never will be.
bool is_whole_answer(Bytes answer);

}  // namespace chancery::sensor
