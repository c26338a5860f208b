#pragma once
// What is only the wrapping of another conversation: SOCKS (RFC 1928, SOCKS 4 and 4a), HTTP CONNECT, and STARTTLS in
// the mail protocols and others of lines. Says where the inner octets begin.
#include <cstddef>
#include <optional>
#include <string>

#include "core/bytes.h"

namespace chancery::sensor {

struct Tunnel {
  std::string_view kind;                           // "socks4", "socks5", "http connect"; static storage
  std::string host;                                // the target's name; empty: an address
  std::size_t client_begin = 0, server_begin = 0;  // where the inner octets begin
};

// Nothing: no tunnel, or its opening is not whole yet.
std::optional<Tunnel> find_tunnel(Bytes client, Bytes server);

// Where a TLS handshake begins behind a STARTTLS, STLS or AUTH TLS line of the client; nothing: nowhere.
std::optional<std::size_t> find_starttls(Bytes client);

}  // namespace chancery::sensor
