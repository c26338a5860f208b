#pragma once
// A TCP address: IPv4 or IPv6, with port.
#include <cstdint>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>

#include "core/bytes.h"

namespace chancery::net {

class Address {
 public:
  Address() = default;
  Address(const sockaddr* address, socklen_t size);

  // "192.0.2.1", "2001:db8::1", "::1%lo" is refused: scopes are not supported. Names are the resolver's work.
  static std::optional<Address> parse(std::string_view host, std::uint16_t port);
  static std::optional<Address> of_socket(int fd);  // getsockname
  static std::optional<Address> of_peer(int fd);    // getpeername

  bool is_v4() const { return storage_.any.sa_family == AF_INET; }
  bool is_v6() const { return storage_.any.sa_family == AF_INET6; }
  std::uint16_t port() const;
  std::string host() const;       // "192.0.2.1", "2001:db8::1"; an IPv4-mapped IPv6 address as IPv4
  std::string to_string() const;  // "192.0.2.1:5222", "[2001:db8::1]:5222"
  Bytes octets() const;           // 4 or 16, network order

  const sockaddr* data() const { return &storage_.any; }
  socklen_t size() const { return is_v4() ? sizeof(sockaddr_in) : sizeof(sockaddr_in6); }

 private:
  union Storage {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } storage_{.v6 = {}};
};

// "host:port", "[v6]:port", "*:port". Nullopt: no port, or one outside 0-65535.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
std::optional<HostPort> split_host_port(std::string_view text);

}  // namespace chancery::net
