#include "merkle/tile.h"

#include <gtest/gtest.h>
#include <map>

#include "merkle/reference_tree.h"

namespace chancery::merkle {
namespace {

// The examples of tlog-tiles v0.1, "Merkle Tree" and "Partial Tiles".
TEST(Tiles, AreNamedAsTheSpecificationShows) {
  EXPECT_EQ(path_of({0, 1234067, 256}), "tile/0/x001/x234/067");
  EXPECT_EQ(path_of({1, 0, 17}), "tile/1/000.p/17");
  EXPECT_EQ(path_of({0, 999, 256}), "tile/0/999");
  EXPECT_EQ(path_of({0, 1000, 1}), "tile/0/x001/000.p/1");
}

TEST(Tiles, OfASizeAreThoseOfTheSpecificationsExamples) {
  std::map<std::pair<unsigned, unsigned>, std::size_t> counts;  // (level, width) → tiles
  for (const TileId& tile : tiles_of(70'000)) ++counts[{tile.level, tile.width}];
  EXPECT_EQ(counts, (std::map<std::pair<unsigned, unsigned>, std::size_t>{
                        {{0, 256}, 273}, {{0, 112}, 1}, {{1, 256}, 1}, {{1, 17}, 1}, {{2, 1}, 1}}));
  EXPECT_EQ(tiles_of(256), (std::vector<TileId>{{0, 0, 256}, {1, 0, 1}}));
  EXPECT_EQ(tiles_of(0), std::vector<TileId>{});
  EXPECT_EQ(partial_tiles(70'000), (std::vector<TileId>{{0, 273, 112}, {1, 1, 17}, {2, 0, 1}}));
  EXPECT_EQ(partial_tiles(256), (std::vector<TileId>{{1, 0, 1}}));
}

TEST(Tiles, NamesAreReadBackAndNothingElseIs) {
  for (const std::uint64_t index : {0ULL, 1ULL, 255ULL, 999ULL, 1000ULL, 999'999ULL, 1'000'000ULL, 1ULL << 56})
    for (const unsigned width : {1U, 255U, 256U})
      for (const unsigned level : {0U, 1U, 7U})
        EXPECT_EQ(parse_tile_path(path_of({level, index, width})), (TileId{level, index, width}));
  for (const char* bad : {"",
                          "tile/",
                          "tile/0",
                          "tile/0/",
                          "tile/0/1",
                          "tile/0/0001",
                          "tile/0/x000/001",
                          "tile/0/001/002",
                          "tile/0/x001/x234",
                          "tile/00/001",
                          "tile/64/001",
                          "tile/0/001.p/0",
                          "tile/0/001.p/256",
                          "tile/0/001.p/01",
                          "tile/0/001.p/",
                          "tile/0/001.p",
                          "tile/-1/001",
                          "tile/0/x99/001",
                          "tile/entries/001",
                          "/tile/0/001",
                          "tile/0/001/",
                          "tile/0/x/001",
                          "tile/0/x18446744073709551616",
                          "tile/0/x018/x446/x744/x073/x709/x551/616"})
    EXPECT_FALSE(parse_tile_path(bad)) << bad;
}

TEST(Tiles, HoldEachNodeThatTheTreeHas) {
  EXPECT_EQ(tile_of({0, 0}, 1), (TileId{0, 0, 1}));
  EXPECT_EQ(tile_of({0, 255}, 300), (TileId{0, 0, 256}));
  EXPECT_EQ(tile_of({0, 256}, 300), (TileId{0, 1, 44}));
  EXPECT_EQ(tile_of({3, 1}, 300), (TileId{0, 0, 256}));
  EXPECT_EQ(tile_of({8, 0}, 300), (TileId{1, 0, 1}));
  EXPECT_FALSE(tile_of({0, 300}, 300));
  EXPECT_FALSE(tile_of({8, 1}, 300));
  EXPECT_FALSE(tile_of({64, 0}, 300));
}

class TileTree : public ::testing::Test {
 protected:
  // All tiles of the tree of `size` leaves, by the formal definition: MTH of 256^level leaves each.
  void build(std::uint64_t size) {
    const NodeReader nodes = reference::nodes({leaves_.begin(), leaves_.begin() + static_cast<std::ptrdiff_t>(size)});
    for (const TileId& tile : tiles_of(size)) {
      Buffer octets;
      for (std::uint64_t i = 0; i < tile.width; ++i)
        octets += bytes_of(*nodes({tile.level * kTileHeight, tile.index * kTileWidth + i}));
      tiles_[path_of(tile)] = octets;
    }
    reader_ = node_reader(size, [this](const TileId& tile) -> std::expected<Buffer, std::error_code> {
      ++reads_;
      const auto found = tiles_.find(path_of(tile));
      if (found == tiles_.end()) return std::unexpected(std::make_error_code(std::errc::no_such_file_or_directory));
      return found->second;
    });
  }

  std::vector<std::string> leaves_ = reference::leaves(600);
  std::map<std::string, Buffer> tiles_;
  NodeReader reader_;
  int reads_ = 0;
};

TEST_F(TileTree, GivesEveryNode) {
  build(600);
  const NodeReader expected = reference::nodes(leaves_);
  for (unsigned level = 0; level < 10; ++level)
    for (std::uint64_t index = 0; index < 600U >> level; ++index)
      ASSERT_EQ(reader_({level, index}), expected({level, index})) << level << "," << index;
}

TEST_F(TileTree, ServesProofs) {
  build(600);
  const Hash root = reference::mth(leaves_);
  EXPECT_EQ(root_of(600, reader_), root);
  for (const std::uint64_t index : {0U, 255U, 256U, 511U, 512U, 599U})
    EXPECT_FALSE(
        check_inclusion(index, 600, leaf_hash(leaves_[index]), *make_inclusion_proof(index, 600, reader_), root));
  const Hash old = reference::mth(reference::Leaves{leaves_}.first(300));
  EXPECT_FALSE(check_consistency(300, 600, old, root, *make_consistency_proof(300, 600, reader_)));
}

TEST_F(TileTree, ReadsEachTileOfAProofOnce) {
  build(600);
  ASSERT_TRUE(make_inclusion_proof(10, 600, reader_));
  EXPECT_LE(reads_, 3);  // its own level-0 tile, the partial one at the right edge, and level 1
}

TEST_F(TileTree, RefusesATileOfTheWrongSize) {
  build(300);
  tiles_["tile/0/000"].pop_back();
  EXPECT_EQ(reader_({0, 5}).error(), ProofError::missing_node);
  tiles_.erase("tile/0/001.p/44");
  EXPECT_FALSE(reader_({0, 299}));
}

}  // namespace
}  // namespace chancery::merkle
