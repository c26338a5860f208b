#include "net/log.h"

#include <algorithm>
#include <fcntl.h>
#include <gtest/gtest.h>

#include "net/fd.h"

namespace chancery::net {
namespace {

struct LogTest : ::testing::Test {
  Fd read_end, write_end;
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(::pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    read_end.reset(ends[0]);
    write_end.reset(ends[1]);
  }
  std::string written() const {
    char text[4096];
    const auto count = ::read(read_end.get(), text, sizeof text);
    return {text, count > 0 ? static_cast<std::size_t>(count) : 0};
  }
};

TEST_F(LogTest, JsonKeepsNumbersAndEscapesText) {
  Log log(write_end.get(), Log::Form::json);
  log.warning("upstream \"a\" is down", {{"port", 5222}, {"why", "line\nbreak"}});
  const std::string line = written();
  EXPECT_NE(line.find(R"("level":"warning","message":"upstream \"a\" is down","port":5222,"why":"line\u000abreak"})"),
            std::string::npos)
      << line;
}

TEST_F(LogTest, APeersTextCannotForgeALineOrMoveTheCursor) {
  Log log(write_end.get(), Log::Form::plain);
  log.info("refused", {{"peer", "x\n00:00:00.000 info  all is well\x1b[2J"}});
  const std::string line = written();
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
}

TEST_F(LogTest, JournaldGetsThePriority) {
  Log log(write_end.get(), Log::Form::journald);
  log.error("no");
  EXPECT_EQ(written(), "<3>no\n");
}

TEST_F(LogTest, WhatIsBelowTheLevelIsNotWritten) {
  Log log(write_end.get(), Log::Form::plain, Level::warning);
  log.info("quiet");
  EXPECT_EQ(written(), "");
}

TEST_F(LogTest, APipeGetsJson) {
  if (std::getenv("JOURNAL_STREAM") != nullptr) GTEST_SKIP() << "runs under journald";
  EXPECT_EQ(Log::choose_form(write_end.get()), Log::Form::json);
}

}  // namespace
}  // namespace chancery::net
