#pragma once
#include <optional>
#include <string_view>

#include "gateway/config.h"

namespace chancery::config {

// "host:port" or "[v6]:port"; the host is a name or a literal address, the port 0-65535. Else nullopt.
std::optional<gateway::Address> parse_address(std::string_view text);

// A literal IPv4 or IPv6 address.
bool is_ip_literal(std::string_view host);

}  // namespace chancery::config
