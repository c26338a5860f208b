#include "sensor/packet/endpoint.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <fmt/format.h>

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

std::string Endpoint::text() const {
  return address.is_v4() ? fmt::format("{}:{}", address.text(), port) : fmt::format("[{}]:{}", address.text(), port);
}

}  // namespace chancery::sensor
