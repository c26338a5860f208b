#include "sensor/enforce/block_entry.h"

#include <array>
#include <charconv>
#include <fmt/format.h>
#include <system_error>

#include "sensor/enforce/network.h"

namespace chancery::sensor {
namespace {

struct StateName {
  BlockState state;
  std::string_view name;
};
constexpr std::array kStates{StateName{BlockState::proposed, "proposed"}, StateName{BlockState::approved, "approved"},
                             StateName{BlockState::rejected, "rejected"}, StateName{BlockState::revoked, "revoked"},
                             StateName{BlockState::expired, "expired"}};

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

// Behind "tcp/" or "udp/": "5222", "192.0.2.1:5222" or "[2001:db8::1]:5222".
std::optional<BlockTarget> parse_service(Transport transport, std::string_view text) {
  BlockTarget target{.kind = BlockTarget::Kind::endpoint, .endpoint = {}, .transport = transport, .name = {}};
  const auto colon = text.rfind(':');
  const auto port = parse_port(colon == std::string_view::npos ? text : text.substr(colon + 1));
  if (!port) return std::nullopt;
  target.endpoint.port = *port;
  if (colon == std::string_view::npos) {
    target.kind = BlockTarget::Kind::port;
    return target;
  }
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = parse_address(host);
  if (!address) return std::nullopt;
  target.endpoint.address = *address;
  return target;
}

}  // namespace

std::string_view to_string(BlockTarget::Kind kind) {
  switch (kind) {
    case BlockTarget::Kind::address:
      return "address";
    case BlockTarget::Kind::endpoint:
      return "endpoint";
    case BlockTarget::Kind::port:
      return "port";
    case BlockTarget::Kind::name:
      break;
  }
  return "name";
}

std::string BlockTarget::text() const {
  switch (kind) {
    case Kind::address:
      return endpoint.address.text();
    case Kind::endpoint:
      return fmt::format("{}/{}", to_string(transport), endpoint.text());
    case Kind::port:
      return fmt::format("{}/{}", to_string(transport), endpoint.port);
    case Kind::name:
      break;
  }
  return name;
}

std::optional<BlockTarget> BlockTarget::parse(std::string_view text) {
  if (text.starts_with("tcp/")) return parse_service(Transport::tcp, text.substr(4));
  if (text.starts_with("udp/")) return parse_service(Transport::udp, text.substr(4));
  BlockTarget target;
  if (const auto address = parse_address(text)) {
    target.kind = Kind::address;
    target.endpoint.address = *address;
    return target;
  }
  if (!is_host_name(text)) return std::nullopt;
  for (const char c : text) target.name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return target;
}

std::string_view to_string(BlockState state) {
  for (const auto& [value, name] : kStates)
    if (value == state) return name;
  return "proposed";
}

std::optional<BlockState> parse_block_state(std::string_view text) {
  for (const auto& [value, name] : kStates)
    if (name == text) return value;
  return std::nullopt;
}

}  // namespace chancery::sensor
