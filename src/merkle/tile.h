#pragma once
// C2SP tlog-tiles v0.1: the tree's hashes in files of 256. Pure: names and arithmetic; whoever has files reads them.
// Tile (level, index) holds the nodes (8·level, 256·index + i), i < width; a full tile is 256 wide and never changes.
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "merkle/proof.h"

namespace chancery::merkle {

inline constexpr unsigned kTileHeight = 8;    // tree levels one tile spans
inline constexpr unsigned kTileWidth = 256;   // hashes in a full tile
inline constexpr unsigned kTileLevelMax = 7;  // 2^64 leaves; the format itself allows 63

struct TileId {
  unsigned level = 0;
  std::uint64_t index = 0;
  unsigned width = kTileWidth;  // 1…256; below 256 the tile is partial

  bool is_full() const { return width == kTileWidth; }
  std::size_t size() const { return std::size_t{width} * sizeof(Hash); }  // octets
  auto operator<=>(const TileId&) const = default;
};

// "tile/0/x001/x234/067" or "tile/1/000.p/17", always with '/'.
std::string path_of(const TileId& tile);
std::optional<TileId> parse_tile_path(std::string_view path);  // accepts exactly what path_of gives

// The tiles that a tree of `size` leaves ends in: one partial tile a level where there is one.
std::vector<TileId> partial_tiles(std::uint64_t size);
// Every tile of the tree, full and partial, level by level. For small trees and tests; nothing keeps such a list.
std::vector<TileId> tiles_of(std::uint64_t size);

// The tile that holds a node's hash or, for levels between tile heights, the hashes below it, as wide as a tree of
// `size` leaves has it; nullopt when that tree does not have the node.
std::optional<TileId> tile_of(NodeId node, std::uint64_t size);

// Reads one tile: exactly tile.size() octets.
using TileReader = std::function<std::expected<Buffer, std::error_code>(const TileId& tile)>;

// Nodes of a tree of `size` leaves, read from its tiles. Keeps the last tile of each level, so the nodes of one proof
// cost at most one read a level.
NodeReader node_reader(std::uint64_t size, TileReader tiles);

}  // namespace chancery::merkle
