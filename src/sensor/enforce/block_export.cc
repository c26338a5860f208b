#include "sensor/enforce/block_export.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <vector>

#include "sensor/enforce/network.h"

namespace chancery::sensor {
namespace {

using Kind = BlockTarget::Kind;

struct FormatName {
  BlockFormat format;
  std::string_view name;
};
constexpr std::array kFormats{FormatName{BlockFormat::nft, "nft"},     FormatName{BlockFormat::ipset, "ipset"},
                              FormatName{BlockFormat::rpz, "rpz"},     FormatName{BlockFormat::squid, "squid"},
                              FormatName{BlockFormat::hosts, "hosts"}, FormatName{BlockFormat::plain, "plain"}};

// What is in force, sorted by target.
using Entries = std::vector<const BlockEntry*>;

Entries in_force(std::span<const BlockEntry> all, Instant now) {
  Entries entries;
  for (const BlockEntry& entry : all)
    if (entry.in_force(now)) entries.push_back(&entry);
  const auto order = [](const BlockEntry* entry) { return std::pair{entry->target.kind, entry->target.text()}; };
  std::ranges::sort(entries, {}, order);
  const auto [first, last] = std::ranges::unique(entries, {}, order);
  entries.erase(first, last);
  return entries;
}

// Names that no other name of the list covers. Squid refuses a list that holds both.
std::vector<std::string_view> top_names(const Entries& entries) {
  std::vector<std::string_view> names;
  for (const BlockEntry* entry : entries)
    if (entry->target.kind == Kind::name) names.push_back(entry->target.name);
  std::vector<std::string_view> top;
  for (const std::string_view name : names)
    if (std::ranges::none_of(names,
                             [&](std::string_view other) { return other != name && is_at_or_below(name, other); }))
      top.push_back(name);
  return top;
}

std::uint64_t seconds_left(const BlockEntry& entry, Instant now) {
  const auto left = std::chrono::ceil<std::chrono::seconds>(*entry.expires_at - now).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(left, 1));
}

// --- nftables
// ---------------------------------------------------------------------------------------------------------

std::string nft_element(const BlockEntry& entry, Instant now) {
  const BlockTarget& target = entry.target;
  std::string element;
  if (target.kind == Kind::address)
    element = target.endpoint.address.text();
  else if (target.kind == Kind::endpoint)
    element =
        fmt::format("{} . {} . {}", target.endpoint.address.text(), to_string(target.transport), target.endpoint.port);
  else
    element = fmt::format("{} . {}", to_string(target.transport), target.endpoint.port);
  if (entry.expires_at) element += fmt::format(" timeout {}s", seconds_left(entry, now));
  return element;
}

struct NftSet {
  std::string_view name, type;
  Kind kind;
  bool v4;
};
constexpr std::array kNftSets{NftSet{"addresses4", "ipv4_addr", Kind::address, true},
                              NftSet{"addresses6", "ipv6_addr", Kind::address, false},
                              NftSet{"endpoints4", "ipv4_addr . inet_proto . inet_service", Kind::endpoint, true},
                              NftSet{"endpoints6", "ipv6_addr . inet_proto . inet_service", Kind::endpoint, false},
                              NftSet{"ports", "inet_proto . inet_service", Kind::port, false}};

// A reset passes: it is what refusing answers with, and nobody talks by it.
// A connection that is refused ends at once; one that is dropped hangs for minutes and people call for help.
constexpr std::string_view kNftChains = R"(
  chain refuse {
    counter
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }
  chain judge {
    tcp flags & rst == rst return
    ip daddr @addresses4 jump refuse
    ip saddr @addresses4 jump refuse
    ip6 daddr @addresses6 jump refuse
    ip6 saddr @addresses6 jump refuse
    ip daddr . meta l4proto . th dport @endpoints4 jump refuse
    ip saddr . meta l4proto . th sport @endpoints4 jump refuse
    ip6 daddr . meta l4proto . th dport @endpoints6 jump refuse
    ip6 saddr . meta l4proto . th sport @endpoints6 jump refuse
    meta l4proto . th dport @ports jump refuse
  }
  chain forward {
    type filter hook forward priority filter - 10; policy accept;
    jump judge
  }
  chain output {
    type filter hook output priority filter - 10; policy accept;
    jump judge
  }
  chain input {
    type filter hook input priority filter - 10; policy accept;
    jump judge
  }
}
)";

Exported nft(const Entries& entries, Instant now) {
  Exported out;
  // Made and deleted first, so that the file replaces the table whatever was there; nft applies all or nothing.
  out.text = "table inet chancery\ndelete table inet chancery\ntable inet chancery {\n";
  for (const auto& [name, type, kind, v4] : kNftSets) {
    out.text += fmt::format("  set {} {{\n    type {}; flags timeout;\n", name, type);
    std::string elements;
    for (const BlockEntry* entry : entries) {
      if (entry->target.kind != kind || (kind != Kind::port && entry->target.endpoint.address.is_v4() != v4)) continue;
      elements += fmt::format("{}{}", elements.empty() ? "" : ",\n      ", nft_element(*entry, now));
      ++out.written;
    }
    if (!elements.empty()) out.text += fmt::format("    elements = {{\n      {} }}\n", elements);
    out.text += "  }\n";
  }
  out.text += kNftChains;
  out.left_out = entries.size() - out.written;
  return out;
}

// --- ipset
// ------------------------------------------------------------------------------------------------------------

constexpr std::uint64_t kIpsetSecondsMax = 2'147'483;  // more makes it refuse the whole file

Exported ipset(const Entries& entries, Instant now) {
  Exported out;
  for (const auto family : {"4", "6"}) {
    const std::string_view inet = *family == '4' ? "inet" : "inet6";
    out.text += fmt::format(
        "create chancery-addresses{0} hash:ip family {1} timeout 0 -exist\n"
        "create chancery-endpoints{0} hash:ip,port family {1} timeout 0 -exist\n"
        "flush chancery-addresses{0}\nflush chancery-endpoints{0}\n",
        family, inet);
  }
  for (const auto transport : {"tcp", "udp"})
    out.text += fmt::format(
        "create chancery-ports-{0} bitmap:port range 0-65535 timeout 0 -exist\nflush chancery-ports-{0}\n", transport);
  for (const BlockEntry* entry : entries) {
    const BlockTarget& target = entry->target;
    if (target.kind == Kind::name) continue;
    const char family = target.endpoint.address.is_v4() ? '4' : '6';
    const std::string_view transport = to_string(target.transport);
    if (target.kind == Kind::address)
      out.text += fmt::format("add chancery-addresses{} {}", family, target.endpoint.address.text());
    else if (target.kind == Kind::endpoint)
      out.text += fmt::format("add chancery-endpoints{} {},{}:{}", family, target.endpoint.address.text(), transport,
                              target.endpoint.port);
    else
      out.text += fmt::format("add chancery-ports-{} {}", transport, target.endpoint.port);
    if (entry->expires_at)
      out.text += fmt::format(" timeout {}", std::min(seconds_left(*entry, now), kIpsetSecondsMax));
    out.text += " -exist\n";
    ++out.written;
  }
  out.left_out = entries.size() - out.written;
  return out;
}

// --- DNS and proxies
// --------------------------------------------------------------------------------------------------

// "32.1.2.0.192.rpz-ip": answers that hold the address (draft-vixie-dnsop-dns-rpz-00 §4.3).
std::string rpz_address(const Address& address) {
  const Bytes wire = address.wire();
  std::string out = address.is_v4() ? "32" : "128";
  if (address.is_v4()) {
    for (std::size_t i = wire.size(); i-- > 0;) out += fmt::format(".{}", static_cast<unsigned char>(wire[i]));
  } else {
    for (std::size_t i = wire.size(); i > 0; i -= 2)
      out += fmt::format(".{:x}", std::uint32_t{static_cast<unsigned char>(wire[i - 2])} << 8U |
                                      static_cast<unsigned char>(wire[i - 1]));
  }
  return out + ".rpz-ip";
}

Exported rpz(const Entries& entries, Instant now) {
  Exported out;
  // The serial is the time: it grows as long as lists are made less often than once a second (RFC 1982).
  const auto serial = static_cast<std::uint32_t>(unix_ns(now) / 1'000'000'000);
  out.text =
      fmt::format("$TTL 60\n@ SOA localhost. hostmaster.localhost. ({} 3600 600 86400 60)\n@ NS localhost.\n", serial);
  for (const std::string_view name : top_names(entries)) out.text += fmt::format("{0} CNAME .\n*.{0} CNAME .\n", name);
  for (const BlockEntry* entry : entries) {
    if (entry->target.kind == Kind::address)
      out.text += fmt::format("{} CNAME .\n", rpz_address(entry->target.endpoint.address));
    (entry->target.kind == Kind::address || entry->target.kind == Kind::name ? out.written : out.left_out)++;
  }
  return out;
}

Exported squid(const Entries& entries) {
  Exported out;
  std::string names, addresses, rules;
  for (const std::string_view name : top_names(entries))
    names += fmt::format("acl chancery_names dstdomain .{}\n", name);
  for (const BlockEntry* entry : entries) {
    const BlockTarget& target = entry->target;
    if (target.kind == Kind::address) {
      addresses += fmt::format("acl chancery_addresses dst {}\n", target.endpoint.address.text());
    } else if (target.kind == Kind::endpoint && target.transport == Transport::tcp) {
      rules += fmt::format(
          "acl chancery_{0}_dst dst {1}\nacl chancery_{0}_port port {2}\n"
          "http_access deny chancery_{0}_dst chancery_{0}_port\n",
          entry->id, target.endpoint.address.text(), target.endpoint.port);
    } else if (target.kind == Kind::port && target.transport == Transport::tcp) {
      rules += fmt::format("acl chancery_{0}_port port {1}\nhttp_access deny chancery_{0}_port\n", entry->id,
                           target.endpoint.port);
    } else if (target.kind != Kind::name) {
      ++out.left_out;  // UDP does not pass this proxy
      continue;
    }
    ++out.written;
  }
  if (!names.empty()) out.text += names + "http_access deny chancery_names\n";
  if (!addresses.empty()) out.text += addresses + "http_access deny chancery_addresses\n";
  out.text += rules;
  return out;
}

Exported hosts(const Entries& entries) {
  Exported out;
  for (const BlockEntry* entry : entries) {
    if (entry->target.kind != Kind::name) {
      ++out.left_out;
      continue;
    }
    out.text += fmt::format("0.0.0.0 {0}\n:: {0}\n", entry->target.name);
    ++out.written;
  }
  return out;
}

Exported plain(const Entries& entries) {
  Exported out;
  for (const BlockEntry* entry : entries) out.text += entry->target.text() + '\n';
  out.written = entries.size();
  return out;
}

}  // namespace

std::optional<BlockFormat> parse_block_format(std::string_view text) {
  for (const auto& [format, name] : kFormats)
    if (name == text) return format;
  return std::nullopt;
}

Exported export_blocks(std::span<const BlockEntry> all, BlockFormat format, Instant now) {
  const Entries entries = in_force(all, now);
  switch (format) {
    case BlockFormat::nft:
      return nft(entries, now);
    case BlockFormat::ipset:
      return ipset(entries, now);
    case BlockFormat::rpz:
      return rpz(entries, now);
    case BlockFormat::squid:
      return squid(entries);
    case BlockFormat::hosts:
      return hosts(entries);
    case BlockFormat::plain:
      break;
  }
  return plain(entries);
}

}  // namespace chancery::sensor
