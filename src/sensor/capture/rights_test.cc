#include "sensor/capture/rights.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/capture/live.h"

namespace chancery::sensor {
namespace {

using ::testing::HasSubstr;

// Runs `check` in a process of its own, since rights do not come back.
template <class Check>
int in_a_child(Check check) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(check());
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Rights, NothingIsLeftAfterDropping) {
  EXPECT_EQ(in_a_child([] {
              const bool was_root = ::geteuid() == 0;
              const auto dropped = drop_rights("nobody");
              if (!dropped) return 1;
              const auto now = read_rights();
              if (!now || now->effective != 0 || now->permitted != 0 || now->inheritable != 0 || now->ambient != 0)
                return 2;
              if (!now->no_new_privileges || now->effective_user == 0 || now->user == 0) return 3;
              if (was_root && now->bounding != 0) return 4;
              if (was_root && ::setuid(0) == 0) return 5;
              return 0;
            }),
            0);
}

TEST(Rights, AUserThatIsMissingOrRootIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root becomes another user";
  EXPECT_EQ(
      in_a_child([] { return drop_rights("no-such-user-here").error().find("--user") == std::string::npos ? 1 : 0; }),
      0);
  EXPECT_EQ(
      in_a_child([] { return drop_rights("root").error().find("must not be root") == std::string::npos ? 1 : 0; }), 0);
}

TEST(LiveCapture, AMissingInterfaceIsSaidWithThoseThereAre) {
  const auto capture = LiveCapture::open({.interface = "nosuch0"});
  ASSERT_FALSE(capture);
  EXPECT_THAT(capture.error(), HasSubstr("nosuch0"));
  if (::geteuid() == 0) {
    EXPECT_THAT(capture.error(), HasSubstr("there are: "));
  }
}

TEST(LiveCapture, WithoutTheRightTheSentenceSaysWhatToDo) {
  EXPECT_EQ(in_a_child([] {
              if (!drop_rights("nobody")) return 1;
              const auto capture = LiveCapture::open({.interface = "lo"});
              return !capture && capture.error().find("CAP_NET_RAW") != std::string::npos ? 0 : 2;
            }),
            0);
}

}  // namespace
}  // namespace chancery::sensor
