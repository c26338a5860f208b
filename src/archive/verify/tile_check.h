#pragma once
// Compares the tile files of a log with the tree that its records make.
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "merkle/tile.h"
#include "merkle/tree.h"

namespace chancery::verify {

using TileNumber = std::pair<unsigned, std::uint64_t>;        // level, index
using TileWidths = std::map<TileNumber, std::set<unsigned>>;  // the files that are there

struct TileFault {
  std::string path;
  bool is_missing = false;
  bool is_published = true;  // false: only hashes above the newest checkpoint are concerned
  std::uint64_t index = 0;   // the first record under the first wrong hash
  unsigned level = 0;
};

class TileCheck {
 public:
  using Read = std::function<std::optional<Buffer>(const merkle::TileId&)>;  // nullopt: it is not there

  TileCheck(TileWidths widths, std::uint64_t published, Read read)
      : widths_(std::move(widths)), published_(published), read_(std::move(read)) {}

  void add(merkle::NodeId node, const Hash& hash);  // every perfect node, as CompactRange tells them
  void finish();                                    // after the last record
  const std::vector<TileFault>& faults() const { return faults_; }

 private:
  void compare(unsigned level, std::uint64_t index, Bytes hashes);
  std::optional<unsigned> compare_file(const merkle::TileId& tile, Bytes hashes);
  void fault(const merkle::TileId& tile, unsigned hash, bool is_missing);
  unsigned published_width(unsigned level, std::uint64_t index) const;

  TileWidths widths_;
  std::uint64_t published_;
  Read read_;
  std::array<Buffer, merkle::kTileLevelMax + 1> edges_;
  std::array<std::uint64_t, merkle::kTileLevelMax + 1> full_{};  // full tiles seen, by level
  std::vector<TileFault> faults_;
};

}  // namespace chancery::verify
