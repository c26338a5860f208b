#include "app/commands.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <unistd.h>

namespace chancery::app {
namespace {

using ::testing::HasSubstr;

struct Outcome {
  int exit;
  std::string out, err;
};

Outcome run_with(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "chancery");
  std::ostringstream out, err;
  const int exit = run(static_cast<int>(arguments.size()), arguments.data(), out, err);
  return {exit, out.str(), err.str()};
}

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "chancery-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST(Commands, HelpShowsExamplesAndExitsZero) {
  const Outcome outcome = run_with({"--help"});
  EXPECT_EQ(outcome.exit, 0);
  EXPECT_THAT(outcome.out, HasSubstr("Examples:"));
}

TEST(Commands, EachCommandHasHelpWithExamples) {
  const Outcome outcome = run_with({"archive", "status", "--help"});
  EXPECT_EQ(outcome.exit, 0);
  EXPECT_THAT(outcome.out, HasSubstr("Examples:"));
  EXPECT_THAT(outcome.out, HasSubstr("--json"));
}

TEST(Commands, VersionExitsZero) {
  const Outcome outcome = run_with({"--version"});
  EXPECT_EQ(outcome.exit, 0);
  EXPECT_THAT(outcome.out, HasSubstr("chancery "));
}

TEST(Commands, UnknownCommandsAndOptionsExitTwo) {
  EXPECT_EQ(run_with({"nonsense"}).exit, 2);
  EXPECT_EQ(run_with({}).exit, 2);
  EXPECT_EQ(run_with({"archive"}).exit, 2);
  EXPECT_EQ(run_with({"archive", "status", "--nonsense"}).exit, 2);
}

TEST(Commands, AFolderThatIsNoArchiveIsSaidInPlainWordsAndExitsTwo) {
  const Folder folder;
  const Outcome outcome = run_with({"archive", "status", "-d", folder.path().c_str()});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_THAT(outcome.err, HasSubstr("is not an archive"));
}

TEST(Commands, WithJsonAnErrorIsJsonToo) {
  const Folder folder;
  const Outcome outcome = run_with({"archive", "status", "--json", "-d", folder.path().c_str()});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_THAT(outcome.out, HasSubstr("\"exit\":2"));
}

TEST(Commands, TheFolderOfUpMeansItsArchive) {
  const Folder folder;
  std::filesystem::create_directories(folder.path() / "archive");
  std::ofstream(folder.path() / "archive/archive.json") << "{}\n";
  const Outcome outcome = run_with({"archive", "status", "-d", folder.path().c_str()});
  EXPECT_EQ(outcome.exit, 0) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr((folder.path() / "archive").string()));
}

}  // namespace
}  // namespace chancery::app
