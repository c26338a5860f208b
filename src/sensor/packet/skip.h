#pragma once
// Why octets of a capture were not read. Each is counted; none ends the reading.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace chancery::sensor {

enum class Skip : std::uint8_t {
  link_type,            // a link type that is not known here
  not_ip,               // ARP, spanning tree, LLDP, …
  other_transport,      // IP, but neither TCP nor UDP (ICMP, ESP, …)
  truncated,            // cut at the snap length, in a header
  bad_header,           // impossible lengths or versions in a header of IP, TCP, UDP or a tunnel
  bad_length,           // an IP packet that claims more than its frame held
  too_deep,             // more headers than kLayersMax
  fragment_incomplete,  // a datagram whose other fragments never came
  fragment_overlap,     // fragments that overlap (RFC 5722: an IPv6 datagram is dropped; IPv4: the first octets count)
  fragment_limit,       // too many fragments at once
  out_of_window,        // TCP far from what was expected
  overlap_conflict,     // TCP octets that were sent twice and differ: the first were taken
  lost,                 // TCP gaps: octets that were never captured (each gap counts once)
  segments_limit,       // too much TCP out of order at once: taken as a gap
  flows_limit,          // flows that were put out early to make room
  bad_record,           // records of a capture file that hold no frame
  damaged_file,         // capture files that could not be read to their end
  bad_time,             // packets whose time lies impossibly far from those around
};
inline constexpr std::size_t kSkips = 18;
std::string_view to_string(Skip why);  // "not_ip", …: keys of the report

class SkipCounts {
 public:
  void add(Skip why, std::uint64_t count = 1) { counts_[static_cast<std::size_t>(why)] += count; }
  std::uint64_t of(Skip why) const { return counts_[static_cast<std::size_t>(why)]; }

 private:
  std::array<std::uint64_t, kSkips> counts_{};
};

}  // namespace chancery::sensor
