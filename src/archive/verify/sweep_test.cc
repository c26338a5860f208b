// Every single-bit change of an archive with every kind of file, and removal, truncation, swap and replay of whole
// files: each must be found, with an anchor.
#include <algorithm>
#include <gtest/gtest.h>

#include "archive/verify/archive_check.h"
#include "archive/verify/segment.h"
#include "archive/verify/testing/archive_builder.h"
#include "archive/verify/tile_check.h"

namespace chancery::verify {
namespace {

using Files = std::map<std::string, Buffer>;

class Sweep : public ::testing::Test {
 protected:
  Sweep() : source_(testing::whole_archive()) {
    anchors_.keys = {merkle::PrivateKey::from_seed(Buffer(32, 'k'))->public_key(),
                     merkle::PrivateKey::from_seed(Buffer(32, 'r'))->public_key()};
    anchors_.memo = &memo_;
  }
  int verify() { return verify_archive(source_, anchors_).exit_code(); }
  Files& files() { return source_.files(); }
  static bool is_segment(const std::string& path) { return path.ends_with(".seg"); }
  static bool is_tile(const std::string& path) { return path.find("/tile/") != path.npos; }
  // Every node of a log's tree, from its segments.
  std::vector<std::pair<merkle::NodeId, Hash>> tree_of(const std::string& log) {
    std::vector<std::pair<merkle::NodeId, Hash>> nodes;
    merkle::CompactRange tree;
    SegmentContext context = first_segment(log);
    for (const auto& [path, octets] : files())
      if (is_segment(path) && path.starts_with("logs/" + log))
        context = read_segment(octets, context, [&](const Frame& frame) {
                    tree.append(merkle::leaf_hash(frame.leaf_octets),
                                [&](merkle::NodeId id, const Hash& hash) { nodes.emplace_back(id, hash); });
                  }).next;
    return nodes;
  }
  static inline const std::string kLogs[] = {"demo/gateway-1/00000001-9f3ac2d1", "demo/gateway-1/00000002-00c0ffee"};
  static constexpr std::uint64_t kPublished[] = {286, 22};

  MemorySource source_;
  SignatureMemo memo_;
  Anchors anchors_;
};

TEST_F(Sweep, StartsFromACleanArchiveOfAtLeast64KiBWithEveryKindOfFile) {
  const Report report = verify_archive(source_, anchors_);
  ASSERT_EQ(report.exit_code(), 0) << report.text();
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(report.logs[i].published, kPublished[i]);
  std::size_t size = 0;
  for (const auto& [path, octets] : files()) size += octets.size();
  EXPECT_GE(size, 64U << 10);
  for (const std::string kind : {"archive.json", "backup.json", "log.vkey", ".seg", ".sheet", ".torn", "/checkpoint",
                                 "/checkpoints", "tile/0/000", "tile/1/000.p/1"})
    EXPECT_TRUE(std::ranges::any_of(files(), [&](const auto& file) { return file.first.ends_with(kind); })) << kind;
}

// The small files: the whole of `verify` for each bit.
TEST_F(Sweep, FindsEverySingleBitChangeInEveryFileBesideSegmentsAndTiles) {
  ASSERT_EQ(verify(), 0);
  for (auto& [path, octets] : files()) {
    if (is_segment(path) || is_tile(path)) continue;
    for (std::size_t bit = 0; bit < octets.size() * 8; ++bit) {
      octets[bit / 8] = static_cast<char>(octets[bit / 8] ^ 1 << bit % 8);
      ASSERT_EQ(verify(), 1) << path << " bit " << bit;
      octets[bit / 8] = static_cast<char>(octets[bit / 8] ^ 1 << bit % 8);
      if (memo_.size() > 10'000) memo_.clear();
    }
  }
}

// Tiles: the comparison that `verify` makes, for each bit, with the tree of the records; the whole of `verify` for
// every 499th.
TEST_F(Sweep, FindsEverySingleBitChangeInEveryTile) {
  ASSERT_EQ(verify(), 0);
  for (const auto& [log, published] : {std::pair{kLogs[0], kPublished[0]}, {kLogs[1], kPublished[1]}}) {
    const auto nodes = tree_of(log);
    const std::string folder = "logs/" + log + "/";
    TileWidths widths;
    for (const auto& [path, octets] : files())
      if (path.starts_with(folder) && is_tile(path)) {
        const auto tile = *merkle::parse_tile_path(path.substr(folder.size()));
        widths[{tile.level, tile.index}].insert(tile.width);
      }
    const auto faults = [&] {
      TileCheck check{widths, published,
                      [&](const merkle::TileId& tile) { return files().at(folder + merkle::path_of(tile)); }};
      for (const auto& [id, hash] : nodes) check.add(id, hash);
      check.finish();
      return std::ranges::count_if(check.faults(), &TileFault::is_published);
    };
    ASSERT_EQ(faults(), 0);
    for (auto& [path, octets] : files()) {
      if (!path.starts_with(folder) || !is_tile(path)) continue;
      for (std::size_t bit = 0; bit < octets.size() * 8; ++bit) {
        octets[bit / 8] = static_cast<char>(octets[bit / 8] ^ 1 << bit % 8);
        ASSERT_EQ(faults(), 1) << path << " bit " << bit;
        if (bit % 499 == 0) {
          ASSERT_EQ(verify(), 1) << path << " bit " << bit;
        }
        octets[bit / 8] = static_cast<char>(octets[bit / 8] ^ 1 << bit % 8);
      }
    }
  }
}

// Segments: the reader that `verify` reads them with, for each bit, with what it knows of the segment before; and the
// whole of `verify` for every 499th.
TEST_F(Sweep, FindsEverySingleBitChangeInEverySegment) {
  ASSERT_EQ(verify(), 0);
  const auto ignore = [](const Frame&) {};
  std::size_t tail_bits = 0;
  for (const auto& [log, published] : {std::pair{kLogs[0], kPublished[0]}, {kLogs[1], kPublished[1]}}) {
    SegmentContext context = first_segment(log);
    for (auto& [path, octets] : files()) {
      if (!is_segment(path) || !path.starts_with("logs/" + log)) continue;
      const SegmentResult honest = read_segment(octets, context, ignore);
      ASSERT_FALSE(honest.damage) << path << ": " << honest.damage->what;
      for (std::size_t bit = 0; bit < octets.size() * 8; ++bit) {
        octets[bit / 8] = static_cast<char>(octets[bit / 8] ^ 1 << bit % 8);
        const SegmentResult result = read_segment(octets, context, ignore);
        ASSERT_TRUE(result.damage) << path << " bit " << bit;
        const bool is_tail = result.damage->index >= published;
        tail_bits += is_tail;
        if (bit % 499 == 0) {
          ASSERT_EQ(verify(), is_tail ? 0 : 1) << path << " bit " << bit;
        }
        octets[bit / 8] = static_cast<char>(octets[bit / 8] ^ 1 << bit % 8);
      }
      context = honest.next;
    }
  }
  // The tail is the last group, of nine records, and no more.
  EXPECT_GT(tail_bits, 8U * 9 * 250);
  EXPECT_LT(tail_bits, 8U * 9 * 400);
}

TEST_F(Sweep, FindsTheRemovalOfAnyFile) {
  const Files whole = files();
  for (const auto& [path, octets] : whole) {
    if (path == "backup.json") continue;  // without it this is an archive and no copy
    files().erase(path);
    EXPECT_NE(verify(), 0) << path;
    files() = whole;
  }
}

TEST_F(Sweep, FindsAnyTruncationOfAnyFileDownToTheTail) {
  const Files whole = files();
  for (const auto& [path, octets] : whole) {
    const bool has_tail = path.ends_with("00c0ffee/segments/00000000.seg");
    for (std::size_t size = 0; size < octets.size(); size += octets.size() > 2'000 ? 97U : 7U) {
      if (has_tail && size > octets.size() * 2 / 3) break;  // the last 9 of 31 records are unpublished
      files()[path].resize(size);
      EXPECT_EQ(verify(), 1) << path << " cut to " << size;
      files()[path] = octets;
    }
  }
}

TEST_F(Sweep, FindsOctetsAddedToAnyFile) {
  const Files whole = files();
  for (const auto& [path, octets] : whole) {
    if (path.ends_with("00c0ffee/segments/00000000.seg")) continue;  // there they are a damaged tail
    for (const Buffer& more : {Buffer{"\0", 1}, Buffer{"\n"}, Buffer(32, 'x'), octets}) {
      files()[path] = octets + more;
      // After the last published record more octets are the unpublished tail, damaged.
      const Report report = verify_archive(source_, anchors_);
      const bool is_last_segment = path.ends_with("00000002.seg");
      EXPECT_EQ(report.exit_code(), is_last_segment ? 0 : 1) << path;
      if (is_last_segment) {
        EXPECT_FALSE(report.logs[0].tail_damage.empty());
      }
      files()[path] = octets;
    }
  }
}

TEST_F(Sweep, FindsAnyTwoFilesSwapped) {
  const Files whole = files();
  for (const auto& [path, octets] : whole)
    for (const auto& [other, other_octets] : whole) {
      if (path >= other || octets == other_octets) continue;
      files()[path] = other_octets;
      files()[other] = octets;
      EXPECT_NE(verify(), 0) << path << " with " << other;
      files()[path] = octets;
      files()[other] = other_octets;
    }
}

TEST_F(Sweep, FindsAnyFileReplayedUnderAnotherName) {
  const Files whole = files();
  for (const auto& [path, octets] : whole)
    for (const auto& [other, other_octets] : whole) {
      if (path == other || octets == other_octets) continue;
      files()[other] = octets;
      EXPECT_EQ(verify(), 1) << path << " over " << other;
      files()[other] = other_octets;
    }
}

// Frames are found by their structure: removed, repeated, exchanged, without mending any checksum.
TEST_F(Sweep, FindsAnyRecordRemovedRepeatedOrSwapped) {
  const std::string path = "logs/demo/gateway-1/00000001-9f3ac2d1/segments/00000000.seg";
  const Buffer whole = files()[path];
  std::vector<std::pair<std::size_t, std::size_t>> frames;
  read_segment(whole, first_segment("demo/gateway-1/00000001-9f3ac2d1"),
               [&](const Frame& frame) { frames.emplace_back(frame.offset, 116 + frame.body.size()); });
  ASSERT_GT(frames.size(), 50U);
  for (std::size_t i = 0; i + 1 < frames.size(); ++i) {
    const auto [at, size] = frames[i];
    const auto [next, next_size] = frames[i + 1];
    Buffer removed = whole, repeated = whole, swapped = whole;
    removed.erase(at, size);
    repeated.insert(at, whole.substr(at, size));
    if (next == at + size)
      swapped.replace(at, size + next_size, whole.substr(next, next_size) + whole.substr(at, size));
    for (const Buffer& bad : {removed, repeated, swapped}) {
      if (bad == whole) continue;
      files()[path] = bad;
      const Report report = verify_archive(source_, anchors_);
      ASSERT_EQ(report.exit_code(), 1) << "record " << i;
      EXPECT_LE(*report.findings[0].index, i + 1);
    }
  }
}

}  // namespace
}  // namespace chancery::verify
