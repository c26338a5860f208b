#include "sensor/enforce/network.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <fmt/format.h>
#include <system_error>

namespace chancery::sensor {
namespace {

constexpr std::size_t kNameSizeMax = 253;  // RFC 1123 §2.1, RFC 1035 §2.3.4
constexpr std::size_t kLabelSizeMax = 63;
constexpr unsigned kMappedBits = 96;  // ::ffff:0:0/96

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kLabelSizeMax || label.front() == '-' || label.back() == '-') return false;
  return std::ranges::all_of(label, [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

unsigned bit(const Address& address, unsigned index) {
  return static_cast<unsigned>(address.octets[index / 8]) >> (7 - index % 8) & 1U;
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
  const std::string copy{text};  // inet_pton wants a terminator
  std::array<char, 16> wire{};
  if (::inet_pton(AF_INET, copy.c_str(), wire.data()) == 1) return Address::v4(Bytes{wire.data(), 4});
  if (::inet_pton(AF_INET6, copy.c_str(), wire.data()) == 1) return Address::v6(Bytes{wire.data(), 16});
  return std::nullopt;
}

std::optional<Network> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto base = parse_address(text.substr(0, slash));
  if (!base) return std::nullopt;
  Network network;
  network.base_ = *base;
  if (slash == std::string_view::npos) return network;
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits.empty()) return std::nullopt;
  const bool v4 = text.find(':') == std::string_view::npos;
  if (bits > (v4 ? 32U : 128U)) return std::nullopt;
  network.bits_ = v4 ? kMappedBits + bits : bits;
  for (unsigned i = network.bits_; i < 128; ++i)
    if (bit(*base, i) != 0) return std::nullopt;
  return network;
}

bool Network::holds(const Address& address) const {
  const unsigned whole = bits_ / 8;
  if (!std::equal(base_.octets.begin(), base_.octets.begin() + whole, address.octets.begin())) return false;
  for (unsigned i = whole * 8; i < bits_; ++i)
    if (bit(base_, i) != bit(address, i)) return false;
  return true;
}

std::string Network::text() const {
  if (base_.is_v4() && bits_ >= kMappedBits) return fmt::format("{}/{}", base_.text(), bits_ - kMappedBits);
  return fmt::format("{}/{}", base_.text(), bits_);
}

bool any_holds(std::span<const Network> networks, const Address& address) {
  return std::ranges::any_of(networks, [&](const Network& network) { return network.holds(address); });
}

std::vector<Network> private_networks() {
  std::vector<Network> networks;
  for (const std::string_view text :
       {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8",
        "224.0.0.0/4", "255.255.255.255/32", "0.0.0.0/8", "fc00::/7", "fe80::/10", "ff00::/8", "::1/128", "::/128"})
    networks.push_back(*Network::parse(text));
  return networks;
}

bool is_host_name(std::string_view name) {
  if (name.empty() || name.size() > kNameSizeMax || parse_address(name)) return false;
  std::size_t labels = 0;
  for (std::size_t begin = 0; begin <= name.size(); ++labels) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    if (!is_label(name.substr(begin, end - begin))) return false;
    begin = end + 1;
  }
  return labels >= 2;
}

bool is_at_or_below(std::string_view name, std::string_view domain) {
  if (name == domain) return true;
  return name.size() > domain.size() && name.ends_with(domain) && name[name.size() - domain.size() - 1] == '.';
}

}  // namespace chancery::sensor
