#pragma once
// The tiles of one growing tree, as files (C2SP tlog-tiles; docs/formats/archive.md). Everything in them can be made
// again from the journal's leaves, so a tile is synced only before a checkpoint over it is published.
//
// Of partial tiles the folder keeps only those of the newest published checkpoint; an older one is a prefix of a newer.
#include <array>
#include <functional>
#include <set>

#include "journal/file.h"
#include "merkle/tile.h"
#include "merkle/tree.h"

namespace chancery::seal {

class TileStore {
 public:
  // `folder`: the log's. `disk` must outlive the store.
  TileStore(journal::Disk& disk, std::string folder) : disk_(&disk), folder_(std::move(folder)) {}

  // Goes on from the tree of `size` leaves that lies there. False: its tiles are missing, damaged, or have another
  // root; then `reset` and append every leaf.
  bool resume(std::uint64_t size, const Hash& root);
  void reset();

  // Adds a leaf; writes each tile that becomes full.
  std::error_code append(const Hash& leaf_hash);
  std::uint64_t size() const { return tree_.size(); }
  Hash root() const { return tree_.root(); }

  // Writes the partial tiles of the present size, then syncs every file and folder written since the last call.
  // A failed sync (`sync_failed()`) must not be tried again.
  std::error_code flush();
  bool sync_failed() const { return sync_failed_; }

  // Nodes of the present tree; after `flush`.
  merkle::NodeReader nodes() const;

  // Removes partial tiles for tree sizes from `published` to `size_max` that the published size does not need, and
  // those of `before`, the size published before.
  void remove_stale(std::uint64_t before, std::uint64_t published, std::uint64_t size_max);

 private:
  std::string path_of(const merkle::TileId& tile) const { return folder_ + "/" + merkle::path_of(tile); }
  std::error_code write(const merkle::TileId& tile, Bytes octets);
  std::error_code make_folder(const std::string& path);
  void remove(const merkle::TileId& tile);

  journal::Disk* disk_;
  std::string folder_;
  merkle::CompactRange tree_;
  std::array<Buffer, merkle::kTileLevelMax + 1> edges_;  // the hashes of each level's unfinished tile
  std::vector<std::unique_ptr<journal::File>> unsynced_;
  std::set<std::string> unsynced_folders_;
  std::set<std::string> folders_;  // known to exist
  bool sync_failed_ = false;
};

}  // namespace chancery::seal
