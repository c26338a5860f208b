#include "sensor/meta/tunnel.h"

#include <algorithm>
#include <array>

#include "sensor/meta/http.h"
#include "sensor/meta/octets.h"

namespace chancery::sensor {
namespace {

constexpr std::size_t kNameMax = 255;

// VN 4, CD 1, port, address, user id, NUL; 4a: address 0.0.0.x and then the name, NUL. The reply: 0, 90, six octets.
std::optional<Tunnel> find_socks4(Bytes client, Bytes server) {
  if (octet(client, 0) != 4 || octet(client, 1) != 1 || client.size() < 9) return std::nullopt;
  if (server.size() < 8 || octet(server, 0) != 0 || octet(server, 1) != 90) return std::nullopt;
  const std::size_t user_end = client.substr(0, 8 + kNameMax + 1).find('\0', 8);
  if (user_end == Bytes::npos) return std::nullopt;
  Tunnel tunnel{"socks4", {}, user_end + 1, 8};
  if (be32(client, 4) != 0 && be32(client, 4) < 256) {
    const std::size_t name_end = client.substr(0, user_end + kNameMax + 2).find('\0', user_end + 1);
    if (name_end == Bytes::npos) return std::nullopt;
    tunnel.host = normal_host(client.substr(user_end + 1, name_end - user_end - 1));
    tunnel.client_begin = name_end + 1;
  }
  return tunnel;
}

// RFC 1928 §4: an address of type 1, 3 or 4 with a port. The size of both; 0: not whole or not known.
std::size_t socks5_address(Bytes octets, std::string* host) {
  switch (octet(octets, 0)) {
    case 1:
      return 1 + 4 + 2;
    case 4:
      return 1 + 16 + 2;
    case 3:
      if (host != nullptr)
        *host = normal_host(octets.substr(std::min<std::size_t>(2, octets.size()), octet(octets, 1)));
      return 2U + octet(octets, 1) + 2;
    default:
      return 0;
  }
}

std::optional<Tunnel> find_socks5(Bytes client, Bytes server) {
  if (octet(client, 0) != 5 || octet(server, 0) != 5 || client.size() < 3 || server.size() < 2) return std::nullopt;
  const std::size_t methods = octet(client, 1);
  if (methods == 0 || methods > 16) return std::nullopt;
  Tunnel tunnel{"socks5", {}, 2 + methods, 2};
  const std::uint8_t method = octet(server, 1);
  if (method == 2) {  // RFC 1929: version 1, name, password; answered by two octets
    if (octet(client, tunnel.client_begin) != 1) return std::nullopt;
    const std::size_t name = octet(client, tunnel.client_begin + 1);
    const std::size_t password = octet(client, tunnel.client_begin + 2 + name);
    tunnel.client_begin += 3 + name + password;
    tunnel.server_begin += 2;
  } else if (method != 0) {
    return std::nullopt;
  }
  if (client.size() < tunnel.client_begin + 4 || server.size() < tunnel.server_begin + 4) return std::nullopt;
  const Bytes request = client.substr(tunnel.client_begin), reply = server.substr(tunnel.server_begin);
  if (octet(request, 0) != 5 || octet(request, 1) != 1 || octet(reply, 0) != 5 || octet(reply, 1) != 0)
    return std::nullopt;
  const std::size_t asked = socks5_address(request.substr(3), &tunnel.host);
  const std::size_t answered = socks5_address(reply.substr(3), nullptr);
  if (asked == 0 || answered == 0 || request.size() < 3 + asked || reply.size() < 3 + answered) return std::nullopt;
  tunnel.client_begin += 3 + asked;
  tunnel.server_begin += 3 + answered;
  return tunnel;
}

std::optional<Tunnel> find_connect(Bytes client, Bytes server) {
  HttpHead request, response;
  if (!client.starts_with("CONNECT ") || parse_http(client, request) != Parsed::yes || !request.complete)
    return std::nullopt;
  if (parse_http(server, response) != Parsed::yes || !response.complete || response.status / 100 != 2)
    return std::nullopt;
  return Tunnel{"http connect", http_host(request), request.size, response.size};
}

}  // namespace

std::optional<Tunnel> find_tunnel(Bytes client, Bytes server) {
  if (client.empty() || server.empty()) return std::nullopt;
  switch (octet(client, 0)) {
    case 4:
      return find_socks4(client, server);
    case 5:
      return find_socks5(client, server);
    case 'C':
      return find_connect(client, server);
    default:
      return std::nullopt;
  }
}

std::optional<std::size_t> find_starttls(Bytes client) {
  constexpr std::size_t kSearchMax = 4'096;
  constexpr std::array<Bytes, 4> kWords{"STARTTLS", "STLS", "AUTH TLS", "<starttls"};
  const Bytes head = client.substr(0, kSearchMax);
  for (std::size_t at = head.find("\x16\x03"); at != Bytes::npos; at = head.find("\x16\x03", at + 1)) {
    if (octet(client, at + 2) > 4 || (at + 5 < client.size() && octet(client, at + 5) != 1)) continue;
    const Bytes before = head.substr(0, at);
    if (before.empty() || (before.back() != '\n' && before.back() != '>')) continue;
    if (std::ranges::any_of(kWords, [&](Bytes word) { return contains_ignoring_case(before, word); })) return at;
  }
  return std::nullopt;
}

}  // namespace chancery::sensor
