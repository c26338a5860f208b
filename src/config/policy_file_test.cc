#include "config/policy_file.h"

#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

namespace chancery::config {
namespace {

namespace fs = std::filesystem;

class PolicyFile : public testing::Test {
 protected:
  PolicyFile() {
    std::string name = (fs::temp_directory_path() / "chancery-policy-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~PolicyFile() override { fs::remove_all(folder_); }
  fs::path write(const std::string& name, std::string_view text) const {
    std::ofstream{folder_ / name} << text;
    return folder_ / name;
  }
  std::vector<fs::path> cached() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder_ / "state" / "policy-cache")) files.push_back(entry.path());
    return files;
  }
  fs::path folder_;
};

constexpr std::string_view kText = "version: 1\nlexicon: {rules: [{id: r, action: flag, terms: [fox]}]}\n";

TEST_F(PolicyFile, TheDatabaseIsKeptInTheStateFolder) {
  const auto file = write("p.yaml", kText);
  const auto policy = load_policy(file, folder_ / "state");
  EXPECT_EQ(policy->revision(), policy::revision_of(kText));
  ASSERT_EQ(cached().size(), 1U);
  EXPECT_TRUE(cached()[0].filename().native().starts_with("lexicon-" + policy->revision() + "-hs"));
  const auto written = fs::last_write_time(cached()[0]);
  load_policy(file, folder_ / "state");
  EXPECT_EQ(fs::last_write_time(cached()[0]), written) << "used, not written again";
}

TEST_F(PolicyFile, ADamagedCacheIsReplaced) {
  const auto file = write("p.yaml", kText);
  load_policy(file, folder_ / "state");
  const auto size = fs::file_size(cached()[0]);
  fs::resize_file(cached()[0], size / 2);
  load_policy(file, folder_ / "state");
  EXPECT_EQ(fs::file_size(cached()[0]), size);
}

TEST_F(PolicyFile, AFolderThatCannotBeWrittenIsNoHindrance) {
  const auto file = write("p.yaml", kText);
  write("state", "a file where the folder should be");
  EXPECT_NO_THROW(load_policy(file, folder_ / "state"));
}

TEST_F(PolicyFile, OnlyTheNewestAreKept) {
  for (std::size_t i = 0; i < PolicyCache::kKeptMax + 3; ++i)
    load_policy(write("p.yaml", std::string{kText} + "name: n" + std::to_string(i) + "\n"), folder_ / "state");
  EXPECT_EQ(cached().size(), PolicyCache::kKeptMax);
}

TEST_F(PolicyFile, MissingFilesAndFoldersAreNamed) {
  EXPECT_THROW(load_policy(folder_ / "none.yaml", ""), std::system_error);
  EXPECT_THROW(load_policy(folder_, ""), std::system_error);
  EXPECT_EQ(load_policy("", "")->revision(), policy::forward_everything()->revision());
}

}  // namespace
}  // namespace chancery::config
