#include "merkle/tree.h"

#include <algorithm>

namespace chancery::merkle {

std::vector<NodeId> nodes_of(std::uint64_t begin, std::uint64_t end) {
  std::vector<NodeId> nodes;
  while (begin < end) {
    // The largest aligned power of two that still fits.
    const unsigned fits = static_cast<unsigned>(std::bit_width(end - begin)) - 1;
    const unsigned aligned = begin == 0 ? fits : static_cast<unsigned>(std::countr_zero(begin));
    const unsigned level = std::min(fits, aligned);
    nodes.push_back({level, begin >> level});
    begin += std::uint64_t{1} << level;
  }
  return nodes;
}

Hash join(std::span<const Hash> nodes) {
  Hash hash = nodes.back();
  for (std::size_t i = nodes.size() - 1; i-- > 0;) hash = node_hash(nodes[i], hash);
  return hash;
}

std::optional<CompactRange> CompactRange::resume(std::uint64_t size, std::vector<Hash> peaks) {
  if (peaks.size() != static_cast<std::size_t>(std::popcount(size))) return std::nullopt;
  CompactRange range;
  range.size_ = size;
  range.peaks_ = std::move(peaks);
  return range;
}

Hash CompactRange::root() const { return peaks_.empty() ? empty_root() : join(peaks_); }

}  // namespace chancery::merkle
