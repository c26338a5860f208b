#include "app/commands.h"

#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

#include <CLI/CLI.hpp>

#include "archive/testing/records.h"

namespace chancery::app {
namespace {

using archive::testing::Folder;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

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

TEST(Commands, HelpShowsExamplesAndExitsZero) {
  const Outcome outcome = run_with({"--help"});
  EXPECT_EQ(outcome.exit, 0);
  EXPECT_THAT(outcome.out, HasSubstr("Examples:"));
}

void expect_examples(const CLI::App& app, std::vector<const char*> words, int& seen) {
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    std::vector<const char*> path = words;
    path.push_back(command->get_name().c_str());
    expect_examples(*command, path, seen);
    ++seen;
    const std::string spelt = fmt::format("chancery {}", fmt::join(path, " "));
    path.push_back("--help");
    const Outcome outcome = run_with(path);
    EXPECT_EQ(outcome.exit, 0) << spelt;
    EXPECT_THAT(outcome.out, HasSubstr("Examples:\n  " + spelt)) << spelt;
    if (command->get_subcommands(nullptr).empty()) {
      EXPECT_THAT(outcome.out, HasSubstr("--json")) << spelt;
    }
  }
}

TEST(Commands, EachCommandAndGroupHasHelpWithExamplesOfItself) {
  std::ostringstream out, err;
  Context context{.out = out, .err = err, .program = "chancery", .run = {}};
  CLI::App root{"", "chancery"};
  add_commands(root, context);
  int seen = 0;
  expect_examples(root, {}, seen);
  EXPECT_GE(seen, 25);
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

TEST(Commands, AnUnknownCommandIsNamedWithTheNearestOnes) {
  const Outcome top = run_with({"serch", "-d", "x"});
  EXPECT_EQ(top.exit, 2);
  EXPECT_THAT(top.err, HasSubstr("no command `chancery serch`; did you mean `search`?"));
  EXPECT_THAT(top.err, HasSubstr("witness"));
  const Outcome inner = run_with({"archive", "stat"});
  EXPECT_THAT(inner.err, HasSubstr("no command `chancery archive stat`; did you mean `status`?"));
  EXPECT_THAT(run_with({"xyzzy"}).err, HasSubstr("no command `chancery xyzzy`. The commands are up, "));
  EXPECT_THAT(run_with({"keys"}).err, HasSubstr("name a command after `chancery keys`: create, show, rotate, retire"));
}

TEST(Commands, AnUnknownOptionIsNamedWithTheNearestOne) {
  const Outcome outcome = run_with({"archive", "status", "-d", "x", "--check-indx"});
  EXPECT_EQ(outcome.exit, 2);
  EXPECT_THAT(outcome.err, HasSubstr("--check-indx"));
  EXPECT_THAT(outcome.err, HasSubstr("did you mean `--check-index`?"));
  EXPECT_THAT(outcome.err, HasSubstr("`chancery archive status --help`"));
}

TEST(Commands, UsageErrorsAreJsonWhereJsonWasAskedFor) {
  const std::vector<std::vector<const char*>> wrong = {{"serch", "--json"},
                                                       {"archive", "--json"},
                                                       {"archive", "status", "--json"},
                                                       {"archive", "status", "-d", "x", "--nonsense", "--json"},
                                                       {"--json", "search", "--limit", "many", "-d", "x"}};
  for (const auto& words : wrong) {
    const Outcome outcome = run_with(words);
    EXPECT_EQ(outcome.exit, 2);
    EXPECT_THAT(outcome.err, StartsWith("{\"error\":\"")) << words[0];
    EXPECT_THAT(outcome.err, EndsWith(",\"exit\":2}\n")) << words[0];
    EXPECT_EQ(outcome.out, outcome.err);
  }
  EXPECT_THAT(run_with({"search", "--", "--json"}).err, StartsWith("chancery: "));
}

TEST(Commands, JsonMayStandBeforeTheCommand) {
  const Folder folder;
  EXPECT_THAT(run_with({"--json", "archive", "status", "-d", folder.path().c_str()}).err, StartsWith("{"));
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
