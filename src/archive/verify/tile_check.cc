#include "archive/verify/tile_check.h"

#include <algorithm>

namespace chancery::verify {

using merkle::kTileHeight, merkle::kTileWidth, merkle::TileId;

void TileCheck::add(merkle::NodeId node, const Hash& hash) {
  if (node.level % kTileHeight != 0) return;
  const unsigned level = node.level / kTileHeight;
  edges_[level] += bytes_of(hash);
  if (node.index % kTileWidth != kTileWidth - 1) return;
  compare(level, node.index / kTileWidth, edges_[level]);
  edges_[level].clear();
  ++full_[level];
}

void TileCheck::finish() {
  for (unsigned level = 0; level < edges_.size(); ++level)
    if (!edges_[level].empty()) compare(level, full_[level], edges_[level]);
  // What is left was never reached by a record.
  for (const auto& [number, widths] : widths_)
    for (const unsigned width : widths) fault({number.first, number.second, width}, 0, false);
  widths_.clear();
}

// How many of the tile's hashes the newest checkpoint covers.
unsigned TileCheck::published_width(unsigned level, std::uint64_t index) const {
  const std::uint64_t hashes = published_ >> level * kTileHeight, first = index * kTileWidth;
  return hashes <= first ? 0 : static_cast<unsigned>(std::min<std::uint64_t>(hashes - first, kTileWidth));
}

void TileCheck::compare(unsigned level, std::uint64_t index, Bytes hashes) {
  const unsigned needed = published_width(level, index);
  const auto node = widths_.extract(TileNumber{level, index});
  bool is_there = needed == 0, is_damaged = false;
  if (!node.empty())
    for (const unsigned width : node.mapped()) {
      const auto good = compare_file({level, index, width}, hashes);
      is_there |= good && *good >= needed;
      is_damaged |= good && *good < needed && width == needed;  // reported already
    }
  if (!is_there && !is_damaged) fault({level, index, needed}, 0, true);
}

// How many of its first hashes are right; nullopt: the file is not there.
std::optional<unsigned> TileCheck::compare_file(const TileId& tile, Bytes hashes) {
  const auto octets = read_(tile);
  if (!octets) return std::nullopt;
  const unsigned known = std::min(tile.width, static_cast<unsigned>(hashes.size() / sizeof(Hash)));
  for (unsigned i = 0; i < known; ++i) {
    const std::size_t at = i * sizeof(Hash);
    if (octets->size() >= at + sizeof(Hash) &&
        Bytes{*octets}.substr(at, sizeof(Hash)) == hashes.substr(at, sizeof(Hash)))
      continue;
    fault(tile, i, false);
    return i;
  }
  // Longer than its name says, or than there are records for.
  if (octets->size() != tile.size() || known < tile.width) fault(tile, std::min(known, tile.width - 1), false);
  return known;
}

// A tile wider than the newest checkpoint needs was being written for one that was never published: it need not have
// survived a power loss whole.
void TileCheck::fault(const TileId& tile, unsigned hash, bool is_missing) {
  const unsigned needed = published_width(tile.level, tile.index);
  const std::uint64_t index = (tile.index * kTileWidth + hash) << tile.level * kTileHeight;
  faults_.push_back({merkle::path_of(tile), is_missing, tile.width <= needed, index, tile.level});
}

}  // namespace chancery::verify
