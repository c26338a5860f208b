#pragma once
// What TLS shows in clear: the ClientHello (RFC 8446 §4.1.2, RFC 6066 §3, RFC 7301), the ServerHello, and up to
// TLS 1.2 the server's certificate. Also tells a TLS stream joined midway by its records.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"

namespace chancery::sensor {

inline constexpr std::size_t kTlsHandshakeMax = 24 * 1024;  // octets of handshake gathered from records
inline constexpr std::size_t kTlsNamesMax = 64;             // names read from one certificate

struct ClientHello {
  std::uint16_t version = 0;      // the highest offered
  std::string server_name;        // lower case; empty: none
  std::vector<std::string> alpn;  // as offered
  bool encrypted_hello = false;   // an ECH extension (0xfe0d): `server_name` is the outer one
  std::string ja3;                // MD5 in hex, GREASE left out (github.com/salesforce/ja3)
};

struct ServerFlight {
  std::uint16_t version = 0;             // chosen
  std::string alpn;                      // chosen, TLS <= 1.2
  std::vector<std::string> certificate;  // subject names of the server's own certificate: DNS names, else its CN
  bool certificate_seen = false;
};

enum class Parsed : std::uint8_t { no, need_more, yes };

// A stream that starts with a ClientHello.
Parsed parse_client_hello(Bytes stream, ClientHello& out);
// The handshake message itself, type octet included (as QUIC carries it).
Parsed parse_client_hello_message(Bytes message, ClientHello& out);
// The server's side: `yes` when the certificate was read or it is known that none will be in clear.
Parsed parse_server_flight(Bytes stream, ServerFlight& out);

// At least one whole record with a plausible header and the next one's begin where the first ends.
bool is_tls_records(Bytes stream);

// A host name as it may stand in an SNI or certificate: letters, digits, '-', '_', '.', '*'; lower case.
std::string normal_host(Bytes name);  // empty: not a host name

}  // namespace chancery::sensor
