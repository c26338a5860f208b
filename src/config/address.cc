#include "config/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <fmt/format.h>
#include <netinet/in.h>

namespace chancery::gateway {

std::string to_string(const Address& address) {
  return address.host.find(':') == std::string::npos ? fmt::format("{}:{}", address.host, address.port)
                                                     : fmt::format("[{}]:{}", address.host, address.port);
}

}  // namespace chancery::gateway

namespace chancery::config {
namespace {

constexpr std::size_t kHostSizeMax = 253;  // RFC 1035 §2.3.4, as text

bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > kHostSizeMax || host.front() == '-' || host.front() == '.') return false;
  return std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
}

}  // namespace

bool is_ip_literal(std::string_view host) {
  const std::string text{host};
  in6_addr octets{};
  return inet_pton(AF_INET, text.c_str(), &octets) == 1 || inet_pton(AF_INET6, text.c_str(), &octets) == 1;
}

std::optional<gateway::Address> parse_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  const auto port = text.substr(colon + 1);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (bracketed ? !is_ip_literal(host) : !is_host_name(host)) return std::nullopt;

  gateway::Address address{std::string{host}, 0};
  const auto [rest, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (port.empty() || error != std::errc{} || rest != port.data() + port.size()) return std::nullopt;
  return address;
}

}  // namespace chancery::config
