#include "sensor/packet/fragments.h"

#include <algorithm>
#include <cstring>

namespace chancery::sensor {
namespace {

constexpr std::uint32_t kDatagramMax = 65'535;  // RFC 791 §3.1, Total Length

// The lengths and the fragment field as if the packet had never been cut (the checksum is left: nothing reads it).
void mend_header(std::string& packet, std::size_t header_size, bool is_v4) {
  const std::size_t length = is_v4 ? packet.size() : packet.size() - header_size;
  const std::size_t at = is_v4 ? 2 : 4;
  packet[at] = static_cast<char>(length >> 8U);
  packet[at + 1] = static_cast<char>(length);
  if (is_v4) packet[6] = packet[7] = 0;
}

}  // namespace

std::size_t Fragments::Hash::operator()(const FragmentKey& key) const noexcept {
  std::uint64_t hash = key.identification * 0x9e3779b97f4a7c15ULL + key.protocol;
  for (const Address* address : {&key.source, &key.destination}) {
    std::array<std::uint64_t, 2> halves{};
    std::memcpy(halves.data(), address->octets.data(), sizeof halves);
    for (const std::uint64_t half : halves) hash = (hash ^ half ^ hash >> 29U) * 0xbf58476d1ce4e5b9ULL;
  }
  return hash ^ hash >> 32U;
}

std::optional<Bytes> Fragments::add(const Fragment& fragment, Instant now) {
  make_room(now);
  const auto entry = find_or_add(fragment.key, now);
  Datagram& datagram = *entry;
  if (!put(datagram, fragment)) {
    drop(entry);
    return std::nullopt;
  }
  const bool complete = datagram.size && datagram.have.size() == 1 && datagram.have[0].begin == 0 &&
                        datagram.have[0].end == *datagram.size && !datagram.header.empty();
  if (!complete) return std::nullopt;
  whole_.assign(datagram.header);
  whole_.append(datagram.octets, 0, *datagram.size);
  mend_header(whole_, datagram.header.size(), datagram.key.source.is_v4());
  drop(entry);
  return whole_;
}

Fragments::Order::iterator Fragments::find_or_add(const FragmentKey& key, Instant now) {
  if (const auto found = index_.find(key); found != index_.end()) return found->second;
  order_.push_back({key, now, {}, {}, {}, 0, {}});
  const auto made = std::prev(order_.end());
  index_.emplace(key, made);
  return made;
}

bool Fragments::put(Datagram& datagram, const Fragment& fragment) {
  const auto size = static_cast<std::uint32_t>(fragment.octets.size());
  const std::uint32_t begin = fragment.offset, end = fragment.offset + size;
  const bool beyond = end > kDatagramMax - fragment.header.size() || (datagram.size && end > *datagram.size);
  if (beyond || (fragment.more && size % 8 != 0)) {  // RFC 791: all but the last are multiples of 8
    skipped_.add(Skip::bad_header);
    return false;
  }
  if (++datagram.pieces > limits_.pieces_max) {
    skipped_.add(Skip::fragment_limit);
    return false;
  }
  if (begin == 0 && datagram.header.empty()) datagram.header.assign(fragment.header);
  if (!fragment.more && !datagram.size) {
    if (!datagram.have.empty() && datagram.have.back().end > end) {
      skipped_.add(Skip::bad_header);
      return false;
    }
    datagram.size = end;
  }
  if (datagram.octets.size() < end) {
    bytes_ += end - datagram.octets.size();
    datagram.octets.resize(end);
  }
  // Copy what no earlier fragment covers.
  std::uint32_t at = begin;
  bool overlaps = false, differs = false;
  for (const Range& range : datagram.have) {
    if (range.end <= begin || range.begin >= end) continue;
    overlaps = true;
    const std::uint32_t from = std::max(range.begin, begin), to = std::min(range.end, end);
    differs |= std::memcmp(datagram.octets.data() + from, fragment.octets.data() + (from - begin), to - from) != 0;
    if (at < range.begin)
      std::memcpy(datagram.octets.data() + at, fragment.octets.data() + (at - begin), range.begin - at);
    at = std::max(at, range.end);
  }
  if (at < end) std::memcpy(datagram.octets.data() + at, fragment.octets.data() + (at - begin), end - at);
  const bool same_again = overlaps && !differs;  // a duplicate of the mirror is no overlap
  if (overlaps && !same_again) {
    skipped_.add(Skip::fragment_overlap);
    if (!datagram.key.source.is_v4()) return false;
  }
  datagram.have.push_back({begin, end});
  std::ranges::sort(datagram.have, {}, &Range::begin);
  std::size_t kept = 0;
  for (const Range& range : datagram.have) {
    if (kept > 0 && range.begin <= datagram.have[kept - 1].end)
      datagram.have[kept - 1].end = std::max(datagram.have[kept - 1].end, range.end);
    else
      datagram.have[kept++] = range;
  }
  datagram.have.resize(kept);
  return true;
}

void Fragments::drop(Order::iterator which) {
  bytes_ -= which->octets.size();
  index_.erase(which->key);
  order_.erase(which);
}

void Fragments::make_room(Instant now) {
  while (!order_.empty() && now - order_.front().first > limits_.age_max) {
    skipped_.add(Skip::fragment_incomplete);
    drop(order_.begin());
  }
  while (order_.size() >= limits_.datagrams_max || bytes_ + kDatagramMax > limits_.bytes_max) {
    if (order_.empty()) return;
    skipped_.add(Skip::fragment_limit);
    drop(order_.begin());
  }
}

void Fragments::clear() {
  skipped_.add(Skip::fragment_incomplete, order_.size());
  order_.clear();
  index_.clear();
  bytes_ = 0;
}

}  // namespace chancery::sensor
