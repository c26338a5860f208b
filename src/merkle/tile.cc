#include "merkle/tile.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <map>
#include <memory>

#include "merkle/decimal.h"

namespace chancery::merkle {
namespace {

constexpr std::string_view kPrefix = "tile/";
constexpr std::size_t kPathSizeMax = 64;

// "x001/x234/067": groups of three digits, all but the last marked.
std::string encode_index(std::uint64_t index) {
  std::string text = fmt::format("{:03}", index % 1000);
  while ((index /= 1000) != 0) text = fmt::format("x{:03}/", index % 1000) + text;
  return text;
}

std::optional<std::uint64_t> decode_index(std::string_view text) {
  std::string digits;
  for (const char c : text)
    if (c != 'x' && c != '/') digits += c;
  const auto first = std::min(digits.find_first_not_of('0'), digits.size() - std::min<std::size_t>(1, digits.size()));
  const auto index = parse_decimal(std::string_view{digits}.substr(first));
  // Only the one spelling that the specification gives: "x000/001" and "1" are no names for tile 1.
  if (!index || encode_index(*index) != text) return std::nullopt;
  return index;
}

// Hash `i` of a tile.
Hash at(const Buffer& tile, std::uint64_t i) {
  return *hash_from_bytes(Bytes{tile}.substr(i * sizeof(Hash), sizeof(Hash)));
}

}  // namespace

std::string path_of(const TileId& tile) {
  std::string path = fmt::format("{}{}/{}", kPrefix, tile.level, encode_index(tile.index));
  if (!tile.is_full()) path += fmt::format(".p/{}", tile.width);
  return path;
}

std::optional<TileId> parse_tile_path(std::string_view path) {
  if (path.size() > kPathSizeMax || !path.starts_with(kPrefix)) return std::nullopt;
  path.remove_prefix(kPrefix.size());
  const auto slash = path.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto level = parse_decimal(path.substr(0, slash));
  if (!level || *level > 63) return std::nullopt;
  path.remove_prefix(slash + 1);
  TileId tile{.level = static_cast<unsigned>(*level)};
  if (const auto mark = path.find(".p/"); mark != std::string_view::npos) {
    const auto width = parse_decimal(path.substr(mark + 3));
    if (!width || *width == 0 || *width >= kTileWidth) return std::nullopt;
    tile.width = static_cast<unsigned>(*width);
    path = path.substr(0, mark);
  }
  const auto index = decode_index(path);
  if (!index) return std::nullopt;
  tile.index = *index;
  return tile;
}

std::vector<TileId> partial_tiles(std::uint64_t size) {
  std::vector<TileId> tiles;
  for (unsigned level = 0; level <= kTileLevelMax; ++level, size >>= kTileHeight)
    if (const auto width = static_cast<unsigned>(size % kTileWidth); width != 0)
      tiles.push_back({level, size >> kTileHeight, width});
  return tiles;
}

std::vector<TileId> tiles_of(std::uint64_t size) {
  std::vector<TileId> tiles;
  for (unsigned level = 0; level <= kTileLevelMax; ++level, size >>= kTileHeight) {
    for (std::uint64_t index = 0; index < size >> kTileHeight; ++index) tiles.push_back({level, index, kTileWidth});
    if (const auto width = static_cast<unsigned>(size % kTileWidth); width != 0)
      tiles.push_back({level, size >> kTileHeight, width});
  }
  return tiles;
}

std::optional<TileId> tile_of(NodeId node, std::uint64_t size) {
  if (node.level >= 64 || node.index >= size >> node.level) return std::nullopt;
  const unsigned level = node.level / kTileHeight;
  const std::uint64_t first = node.index << node.level % kTileHeight;  // of the hashes below it in that tile
  const std::uint64_t hashes = size >> level * kTileHeight;
  const std::uint64_t index = first / kTileWidth;
  const auto width = static_cast<unsigned>(std::min<std::uint64_t>(kTileWidth, hashes - index * kTileWidth));
  return TileId{level, index, width};
}

NodeReader node_reader(std::uint64_t size, TileReader tiles) {
  auto kept = std::make_shared<std::map<unsigned, std::pair<TileId, Buffer>>>();
  return [size, tiles = std::move(tiles), kept](NodeId node) -> std::expected<Hash, std::error_code> {
    const auto id = tile_of(node, size);
    if (!id) return std::unexpected(ProofError::missing_node);
    auto& [kept_id, tile] = (*kept)[id->level];
    if (tile.empty() || kept_id != *id) {
      auto read = tiles(*id);
      if (!read) return std::unexpected(read.error());
      if (read->size() != id->size()) return std::unexpected(ProofError::missing_node);
      kept_id = *id;
      tile = std::move(*read);
    }
    const unsigned height = node.level % kTileHeight;
    const std::uint64_t first = (node.index << height) % kTileWidth;
    std::vector<Hash> row;
    for (std::uint64_t i = 0; i < std::uint64_t{1} << height; ++i) row.push_back(at(tile, first + i));
    for (; row.size() > 1; row.resize(row.size() / 2))
      for (std::size_t i = 0; i < row.size() / 2; ++i) row[i] = node_hash(row[2 * i], row[2 * i + 1]);
    return row.front();
  };
}

}  // namespace chancery::merkle
