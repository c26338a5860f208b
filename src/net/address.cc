#include "net/address.h"

#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <system_error>

namespace chancery::net {

Address::Address(const sockaddr* address, socklen_t size) {
  if (size <= sizeof storage_) std::memcpy(&storage_, address, size);
}

std::optional<Address> Address::parse(std::string_view host, std::uint16_t port) {
  const std::string text{host};
  Address address;
  if (inet_pton(AF_INET, text.c_str(), &address.storage_.v4.sin_addr) == 1) {
    address.storage_.v4.sin_family = AF_INET;
    address.storage_.v4.sin_port = htons(port);
    return address;
  }
  address.storage_.v6 = {};
  if (inet_pton(AF_INET6, text.c_str(), &address.storage_.v6.sin6_addr) == 1) {
    address.storage_.v6.sin6_family = AF_INET6;
    address.storage_.v6.sin6_port = htons(port);
    return address;
  }
  return std::nullopt;
}

std::optional<Address> Address::of_socket(int fd) {
  Address address;
  socklen_t size = sizeof address.storage_;
  if (::getsockname(fd, &address.storage_.any, &size) != 0) return std::nullopt;
  return address;
}

std::optional<Address> Address::of_peer(int fd) {
  Address address;
  socklen_t size = sizeof address.storage_;
  if (::getpeername(fd, &address.storage_.any, &size) != 0) return std::nullopt;
  return address;
}

std::uint16_t Address::port() const { return ntohs(is_v4() ? storage_.v4.sin_port : storage_.v6.sin6_port); }

Bytes Address::octets() const {
  if (is_v4()) return {reinterpret_cast<const char*>(&storage_.v4.sin_addr), 4};
  return {reinterpret_cast<const char*>(&storage_.v6.sin6_addr), 16};
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (is_v4()) {
    inet_ntop(AF_INET, &storage_.v4.sin_addr, text, sizeof text);
  } else if (is_v6() && IN6_IS_ADDR_V4MAPPED(&storage_.v6.sin6_addr)) {
    inet_ntop(AF_INET, octets().data() + 12, text, sizeof text);
  } else if (is_v6()) {
    inet_ntop(AF_INET6, &storage_.v6.sin6_addr, text, sizeof text);
  }
  return text;
}

std::string Address::to_string() const {
  const std::string name = host();
  const bool brackets = name.find(':') != std::string::npos;
  return brackets ? fmt::format("[{}]:{}", name, port()) : fmt::format("{}:{}", name, port());
}

std::optional<HostPort> split_host_port(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  if (host.front() == '[') {
    if (host.back() != ']' || host.size() < 3) return std::nullopt;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;  // an IPv6 address needs brackets, or its last group would be read as the port
  }
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return HostPort{std::string{host}, port};
}

}  // namespace chancery::net
