#pragma once
// Address ranges: which addresses are ours.
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sensor/packet/endpoint.h"

namespace chancery::sensor {

// "10.0.0.0/8", "2001:db8::/32", or a single address.
class Network {
 public:
  // nullopt: not an address, a prefix too long, or bits set behind the prefix.
  static std::optional<Network> parse(std::string_view text);
  bool holds(const Address& address) const;
  std::string text() const;

 private:
  Address base_;
  unsigned bits_ = 128;  // of the sixteen octets; an IPv4 prefix /n is 96 + n
};

// "192.0.2.1" or "2001:db8::1"; nullopt: anything else.
std::optional<Address> parse_address(std::string_view text);

bool any_holds(std::span<const Network> networks, const Address& address);

// Private, shared, link-local and loopback ranges (RFC 1918, 6598, 3927, 4193, 4291, 1122), multicast and broadcast:
// what is inside until the administrator says better.
std::vector<Network> private_networks();

// Letters, digits, hyphen, underscore and dots, at most 253 octets with labels of 1 to 63, at least two labels, not an
// address (RFC 1123 §2.1; underscore as seen in service names). Only such names go into a block list: they come from
// the wire and end up in other programs' configuration.
bool is_host_name(std::string_view name);

// `name` is `domain` or below it. Both lower case.
bool is_at_or_below(std::string_view name, std::string_view domain);

}  // namespace chancery::sensor
