#pragma once
// Puts IP fragments together (RFC 791 §3.2, RFC 8200 §4.5), with everything bounded: how many datagrams at once, their
// octets, their pieces and their age. Where fragments of an IPv4 datagram overlap, the octets that came first count;
// an IPv6 datagram with an overlap is dropped (RFC 5722).
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/bytes.h"
#include "core/time.h"
#include "sensor/packet/endpoint.h"
#include "sensor/packet/skip.h"

namespace chancery::sensor {

struct FragmentLimits {
  std::size_t datagrams_max = 1'024;            // incomplete at once; the oldest makes room
  std::size_t bytes_max = 16ULL << 20U;         // of all of them
  std::size_t pieces_max = 256;                 // of one: then it is dropped
  Duration age_max = std::chrono::seconds{30};  // RFC 8200 §4.5: 60 s; hosts use 30
};

struct FragmentKey {
  Address source, destination;
  std::uint32_t identification = 0;
  std::uint8_t protocol = 0;
  bool operator==(const FragmentKey&) const = default;
};

struct Fragment {
  FragmentKey key;
  Bytes header;  // of IP, as the reassembled packet shall begin; the first fragment's counts
  std::uint32_t offset = 0;
  bool more = false;
  Bytes octets;
};

class Fragments {
 public:
  Fragments(const FragmentLimits& limits, SkipCounts& skipped) : limits_(limits), skipped_(skipped) {}

  // The whole packet (header, then payload) when `fragment` completes it; a view that the next call ends.
  std::optional<Bytes> add(const Fragment& fragment, Instant now);
  void clear();  // what is incomplete now stays so

  std::size_t memory() const { return bytes_; }

 private:
  struct Range {
    std::uint32_t begin, end;
  };
  struct Datagram {
    FragmentKey key;
    Instant first;
    std::string header;
    std::string octets;
    std::vector<Range> have;  // sorted, disjoint, merged
    std::size_t pieces = 0;
    std::optional<std::uint32_t> size;  // known with the last fragment
  };
  struct Hash {
    std::size_t operator()(const FragmentKey& key) const noexcept;
  };
  using Order = std::list<Datagram>;

  Order::iterator find_or_add(const FragmentKey& key, Instant now);
  bool put(Datagram& datagram, const Fragment& fragment);  // false: it must be dropped
  void drop(Order::iterator which);
  void make_room(Instant now);

  const FragmentLimits limits_;
  SkipCounts& skipped_;
  Order order_;  // oldest first
  std::unordered_map<FragmentKey, Order::iterator, Hash> index_;
  std::size_t bytes_ = 0;
  std::string whole_;
};

}  // namespace chancery::sensor
