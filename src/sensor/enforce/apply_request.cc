#include "sensor/enforce/apply_request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <system_error>

namespace chancery::sensor {
namespace {

using std::chrono::seconds;

constexpr std::string_view kBegin = "chancery-enforcer 1\n", kEnd = "end\n";

std::vector<Network> special_networks() {
  std::vector<Network> out;
  for (const auto text : {"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::", "::1",
                          "fe80::/10", "ff00::/8"})
    out.push_back(Network::parse(text).value());
  return out;
}

// A block of them would cut off the web, names, mail or the way in to this machine.
bool is_shared_port(std::uint16_t port) {
  constexpr std::array<std::uint16_t, 4> kShared{3128, 3389, 8080, 8443};
  return port < 1'024 || std::ranges::find(kShared, port) != kShared.end();
}

// "tcp/198.51.100.7:5222 3600"; only as it would be written here, so that there is one way to say a thing.
std::optional<BlockEntry> read_line(std::string_view line, Instant now) {
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto target = BlockTarget::parse(line.substr(0, space));
  if (!target || target->kind == BlockTarget::Kind::name || target->text() != line.substr(0, space))
    return std::nullopt;
  const std::string_view time = line.substr(space + 1);
  std::uint32_t count = 0;
  const auto [end, error] = std::from_chars(time.data(), time.data() + time.size(), count);
  if (error != std::errc{} || end != time.data() + time.size() || time.starts_with('0') ||
      seconds{count} > kApplyTimeMax)
    return std::nullopt;
  BlockEntry entry;
  entry.target = *target;
  entry.state = BlockState::approved;
  entry.expires_at = now + seconds{count};
  return entry;
}

}  // namespace

Buffer write_apply_request(std::span<const BlockEntry> all, Instant now, seconds lease) {
  Buffer out{kBegin};
  for (const BlockEntry& entry : all) {
    if (!entry.in_force(now) || entry.target.kind == BlockTarget::Kind::name) continue;
    auto time = std::min(lease, kApplyTimeMax);
    if (entry.expires_at) time = std::min(time, std::chrono::ceil<seconds>(*entry.expires_at - now));
    out += fmt::format("{} {}\n", entry.target.text(), std::max(time, seconds{1}).count());
  }
  return out += kEnd;
}

bool is_whole_apply_request(Bytes request) { return request.ends_with(kEnd) && request.size() > kBegin.size(); }

std::expected<std::vector<BlockEntry>, std::string> read_apply_request(Bytes request, std::span<const Network> never,
                                                                       Instant now) {
  if (request.size() > kApplySizeMax) return std::unexpected{"the request is too large"};
  if (!request.starts_with(kBegin)) return std::unexpected{"this is no request of version 1"};
  if (!request.ends_with("\nend\n")) return std::unexpected{"the request is not whole"};
  request.remove_prefix(kBegin.size());
  request.remove_suffix(kEnd.size());
  const std::vector<Network> special = special_networks();
  std::vector<BlockEntry> entries;
  for (std::size_t line = 2; !request.empty(); ++line) {
    const auto end = request.find('\n');
    const auto entry = read_line(request.substr(0, end), now);
    request.remove_prefix(end + 1);
    if (!entry) return std::unexpected{fmt::format("line {} is not a target and a time", line)};
    const auto& [kind, endpoint, transport, name] = entry->target;
    const bool port_only = kind == BlockTarget::Kind::port;
    if (port_only && is_shared_port(endpoint.port))
      return std::unexpected{fmt::format("line {}: port {} serves everything", line, endpoint.port)};
    if (!port_only && (any_holds(special, endpoint.address) || any_holds(never, endpoint.address)))
      return std::unexpected{fmt::format("line {}: {} is never blocked", line, endpoint.address.text())};
    if (entries.size() == kApplyEntriesMax) return std::unexpected{"the request has too many entries"};
    entries.push_back(*entry);
  }
  return entries;
}

}  // namespace chancery::sensor
