#include "sensor/packet/endpoint.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <system_error>

namespace chancery::sensor {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

Address Address::v4(Bytes four) {
  Address address;
  std::ranges::copy(kMapped, address.octets.begin());
  std::memcpy(address.octets.data() + kMapped.size(), four.data(), 4);
  return address;
}

Address Address::v6(Bytes sixteen) {
  Address address;
  std::memcpy(address.octets.data(), sixteen.data(), address.octets.size());
  return address;
}

bool Address::is_v4() const { return std::equal(kMapped.begin(), kMapped.end(), octets.begin()); }

Bytes Address::wire() const {
  const Bytes all{reinterpret_cast<const char*>(octets.data()), octets.size()};
  return is_v4() ? all.substr(kMapped.size()) : all;
}

std::string Address::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  inet_ntop(is_v4() ? AF_INET : AF_INET6, wire().data(), out.data(), out.size());
  return out.data();
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  Endpoint endpoint;
  std::string_view host = text, port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == text.npos) return std::nullopt;
    host = text.substr(1, end - 1);
    if (end + 1 < text.size()) {
      if (text[end + 1] != ':') return std::nullopt;
      port = text.substr(end + 2);
      if (port.empty()) return std::nullopt;
    }
  } else if (const std::size_t colon = text.find(':'); colon != text.npos && text.find(':', colon + 1) == text.npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (port.empty()) return std::nullopt;
  }
  std::array<char, 16> octets{};
  const std::string name{host};
  if (inet_pton(AF_INET, name.c_str(), octets.data()) == 1)
    endpoint.address = Address::v4({octets.data(), 4});
  else if (inet_pton(AF_INET6, name.c_str(), octets.data()) == 1)
    endpoint.address = Address::v6({octets.data(), 16});
  else
    return std::nullopt;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
  if (!port.empty() && (error != std::errc{} || end != port.data() + port.size())) return std::nullopt;
  return endpoint;
}

std::string Endpoint::text() const {
  return address.is_v4() ? fmt::format("{}:{}", address.text(), port) : fmt::format("[{}]:{}", address.text(), port);
}

}  // namespace chancery::sensor
