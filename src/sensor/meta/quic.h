#pragma once
// The ClientHello in a QUIC client's first datagrams. Initial packets are protected by keys that anyone can compute
// from the packet itself (RFC 9001 §5.2), so that what is in them is readable: versions 1 (RFC 9000) and 2 (RFC 9369),
// the drafts 22 to 34, Facebook's mvfst, and Google's T050 and T051. Google's own handshake (Q024 to Q046, in clear;
// Q050, protected) names the server in a CHLO message.
#include <cstdint>
#include <span>

#include "core/bytes.h"
#include "sensor/meta/tls.h"

namespace chancery::sensor {

inline constexpr std::size_t kQuicDatagramsMax = 8;       // read for one handshake
inline constexpr std::size_t kQuicCryptoMax = 16 * 1024;  // octets of handshake gathered

// `no`: the first datagram is not a QUIC client's. `need_more`: it is, but the handshake is not whole.
Parsed parse_quic(std::span<const Bytes> client_datagrams, ClientHello& out);

// A long header with a known version (RFC 8999), as either side sends it.
bool is_quic_long_header(Bytes datagram);

}  // namespace chancery::sensor
