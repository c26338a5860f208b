#include "archive/seal/tile_store.h"

#include <algorithm>
#include <fmt/format.h>

namespace chancery::seal {
namespace {

constexpr std::uint64_t kTileSizeMax = std::uint64_t{merkle::kTileWidth} * 32;  // octets: one hash an entry
constexpr std::size_t kUnsyncedFilesMax = 128;  // open at a time; above, they are synced early

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

}  // namespace

bool TileStore::resume(std::uint64_t size, const Hash& root) {
  reset();
  const auto read = [this](const merkle::TileId& tile) {
    return journal::read_file(*disk_, path_of(tile), tile.size());
  };
  const merkle::NodeReader nodes = merkle::node_reader(size, read);
  std::vector<Hash> peaks;
  for (const merkle::NodeId id : merkle::nodes_of(0, size)) {
    const auto hash = nodes(id);
    if (!hash) return false;
    peaks.push_back(*hash);
  }
  auto tree = merkle::CompactRange::resume(size, std::move(peaks));
  if (!tree || tree->root() != root) return false;
  for (const merkle::TileId& tile : merkle::partial_tiles(size)) {
    auto octets = read(tile);
    if (!octets || octets->size() != tile.size()) return reset(), false;
    edges_[tile.level] = std::move(*octets);
  }
  tree_ = std::move(*tree);
  return true;
}

void TileStore::reset() {
  tree_ = {};
  for (Buffer& edge : edges_) edge.clear();
}

std::error_code TileStore::append(const Hash& leaf_hash) {
  std::error_code error;
  tree_.append(leaf_hash, [&](merkle::NodeId node, const Hash& hash) {
    if (node.level % merkle::kTileHeight != 0) return;
    const unsigned level = node.level / merkle::kTileHeight;
    edges_[level] += bytes_of(hash);
    if (node.index % merkle::kTileWidth != merkle::kTileWidth - 1) return;
    const auto failed = write({level, node.index / merkle::kTileWidth}, edges_[level]);
    if (failed && !error) error = failed;
    edges_[level].clear();
  });
  return error;
}

std::error_code TileStore::flush() {
  for (const merkle::TileId& tile : merkle::partial_tiles(size()))
    if (const auto error = write(tile, edges_[tile.level])) return error;
  for (const auto& file : unsynced_)
    if (const auto error = file->sync()) return sync_failed_ = true, error;
  unsynced_.clear();
  for (const std::string& folder : unsynced_folders_)
    if (const auto error = disk_->sync_directory(folder)) return sync_failed_ = true, error;
  unsynced_folders_.clear();
  return {};
}

merkle::NodeReader TileStore::nodes() const {
  return merkle::node_reader(
      size(), [this](const merkle::TileId& tile) { return journal::read_file(*disk_, path_of(tile), tile.size()); });
}

// An unpublished size may have left partial tiles behind at each full tile between the published size and that one.
void TileStore::remove_stale(std::uint64_t before, std::uint64_t published, std::uint64_t size_max) {
  const auto needed = merkle::partial_tiles(published);
  const auto is_needed = [&](const merkle::TileId& tile) { return std::ranges::find(needed, tile) != needed.end(); };
  for (const merkle::TileId& tile : merkle::partial_tiles(before))
    if (!is_needed(tile)) remove(tile);
  for (unsigned level = 0; level <= merkle::kTileLevelMax; ++level) {
    const unsigned shift = merkle::kTileHeight * (level + 1);
    const auto first = shift < 64 ? published >> shift : 0, last = shift < 64 ? size_max >> shift : 0;
    for (std::uint64_t index = first; index <= last; ++index) {
      const auto widths = disk_->list(path_of({level, index}) + ".p");
      if (!widths) continue;
      for (const std::string& width : *widths) {
        const auto tile = merkle::parse_tile_path(merkle::path_of({level, index}) + ".p/" + width);
        if (tile && !is_needed(*tile)) remove(*tile);
      }
    }
  }
}

// What cannot be removed now is removed after a later checkpoint or at the next start; it does no harm meanwhile.
void TileStore::remove(const merkle::TileId& tile) { (void)disk_->remove(path_of(tile)); }

std::error_code TileStore::write(const merkle::TileId& tile, Bytes octets) {
  const std::string path = path_of(tile);
  if (const auto error = make_folder(parent_of(path))) return error;
  // A tile that is there already is not written again: a power cut in the middle would spoil what a published
  // checkpoint stands on. It is synced all the same, since whoever wrote it may not have come to that.
  const auto there = journal::read_file(*disk_, path, kTileSizeMax);
  const bool is_there = there && *there == octets;
  auto file = disk_->open(path, is_there ? journal::Disk::Mode::update : journal::Disk::Mode::create);
  if (!file) return file.error();
  if (!is_there)
    if (const auto error = (*file)->write_at(0, {&octets, 1})) return error;
  if (unsynced_.size() >= kUnsyncedFilesMax) {
    for (const auto& waiting : unsynced_)
      if (const auto error = waiting->sync()) return sync_failed_ = true, error;
    unsynced_.clear();
  }
  unsynced_.push_back(std::move(*file));
  unsynced_folders_.insert(parent_of(path));
  return {};
}

std::error_code TileStore::make_folder(const std::string& path) {
  if (path.size() <= folder_.size() || folders_.contains(path)) return {};
  const std::string above = parent_of(path);
  if (const auto error = make_folder(above)) return error;
  if (const auto error = disk_->make_directory(path)) return error;
  folders_.insert(path);
  unsynced_folders_.insert(above);
  return {};
}

}  // namespace chancery::seal
