#pragma once
// A block list in the words of the programs that apply it. Pure functions. Only addresses, ports and names that
// passed BlockTarget::parse are written; reasons are left out, they are untrusted text.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sensor/enforce/block_entry.h"

namespace chancery::sensor {

enum class BlockFormat : std::uint8_t {
  nft,    // `nft -f`: one table with its sets and chains, replaced as a whole (nft(8))
  ipset,  // `ipset restore`: sets only, the rules that use them are the administrator's (ipset(8))
  rpz,    // a DNS response policy zone, for BIND, Unbound, Knot, PowerDNS (draft-vixie-dnsop-dns-rpz-00)
  squid,  // access lists for squid.conf
  hosts,  // lines for a hosts file: exact names only
  plain,  // one target a line
};
inline constexpr std::string_view kBlockFormats = "nft, ipset, rpz, squid, hosts or plain";
std::optional<BlockFormat> parse_block_format(std::string_view text);

struct Exported {
  std::string text;
  std::size_t written = 0;   // entries
  std::size_t left_out = 0;  // entries this format cannot say (a name in nft, a port in a DNS zone)
};

// Entries that are in force at `now`, in a stable order, each target once; a name below another name is left to that.
Exported export_blocks(std::span<const BlockEntry> entries, BlockFormat format, Instant now);

}  // namespace chancery::sensor
