#include "archive/paths.h"

#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

namespace chancery::archive {
namespace {

namespace fs = std::filesystem;

class PathsTest : public ::testing::Test {
 protected:
  PathsTest() {
    std::string name = (fs::temp_directory_path() / "chancery-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~PathsTest() override { fs::remove_all(folder_); }
  static void make_archive(const fs::path& at) {
    fs::create_directories(at);
    std::ofstream(at / "archive.json") << "{}\n";
  }
  fs::path folder_;
};

TEST_F(PathsTest, IndexKeysAndStateLieBesideTheArchive) {
  make_archive(folder_ / "a");
  const Paths paths = paths_of(folder_ / "a");
  EXPECT_EQ(paths.archive, folder_ / "a");
  EXPECT_EQ(paths.index, folder_ / "a.index");
  EXPECT_EQ(paths.keys, folder_ / "a.keys");
  EXPECT_EQ(paths.state, folder_ / "a.state");
}

TEST_F(PathsTest, ATrailingSlashChangesNothing) {
  make_archive(folder_ / "a");
  EXPECT_EQ(paths_of(folder_ / "a/").index, folder_ / "a.index");
}

TEST_F(PathsTest, TheFolderOfUpMeansTheArchiveInIt) {
  make_archive(folder_ / "demo/archive");
  EXPECT_EQ(paths_of(folder_ / "demo").archive, folder_ / "demo/archive");
  EXPECT_EQ(paths_of(folder_ / "demo").keys, folder_ / "demo/archive.keys");
}

TEST_F(PathsTest, AnArchiveThatHoldsAFolderNamedArchiveIsMeantItself) {
  make_archive(folder_ / "a");
  make_archive(folder_ / "a/archive");
  EXPECT_EQ(paths_of(folder_ / "a").archive, folder_ / "a");
}

TEST_F(PathsTest, AFolderThatIsNotThereIsTakenForAnArchive) {
  EXPECT_EQ(paths_of(folder_ / "new").archive, folder_ / "new");
  EXPECT_FALSE(is_archive(folder_ / "new"));
}

}  // namespace
}  // namespace chancery::archive
