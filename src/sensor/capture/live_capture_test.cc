#include "sensor/capture/live_capture.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/capture/rights.h"

namespace chancery::sensor {
namespace {

using ::testing::HasSubstr;

// Sends one datagram over loopback; what it says is what must be seen.
void say(const std::string& text) {
  const int handle = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(9);
  ::sendto(handle, text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  ::close(handle);
}

// In a child, since rights once dropped do not come back: opens, drops, reads. Its exit code is the answer.
enum Answer : int { kSaw = 10, kRightsLeft = 11, kNotSeen = 12, kNotOpened = 13, kNotDropped = 14 };

int open_drop_read() {
  auto capture = LiveCapture::open({.interface = "lo"});
  if (!capture) return kNotOpened;
  if (const auto dropped = drop_rights("nobody"); !dropped) return kNotDropped;
  if (!read_rights().none()) return kRightsLeft;
  if (::setuid(0) == 0 || LiveCapture::open({.interface = "lo"})) return kRightsLeft;
  say("seen without rights");
  bool seen = false;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
  while (!seen && std::chrono::steady_clock::now() < deadline) {
    const auto count = capture->read(std::chrono::milliseconds{100}, [&](const Frame& frame) {
      seen |= frame.octets.find("seen without rights") != Bytes::npos && frame.time > Instant{};
    });
    if (!count) break;
  }
  return seen && capture->drops().received > 0 ? kSaw : kNotSeen;
}

TEST(LiveCapture, ReadsAfterEveryRightWasDropped) {
  if (::geteuid() != 0) GTEST_SKIP() << "listening on an interface needs root";
  const pid_t child = ::fork();
  if (child == 0) ::_exit(open_drop_read());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNotOpened) GTEST_SKIP() << "this machine lets nobody listen on loopback";
  EXPECT_EQ(WEXITSTATUS(status), kSaw);
}

TEST(LiveCapture, AMissingInterfaceIsSaidPlainly) {
  const auto capture = LiveCapture::open({.interface = "nosuch0"});
  ASSERT_FALSE(capture);
  EXPECT_THAT(capture.error(), ::testing::AnyOf(HasSubstr("there is no interface 'nosuch0'"), HasSubstr("CAP_NET_RAW")));
}

TEST(LiveCapture, AMissingRightIsSaidPlainly) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(65'534) != 0) ::_exit(1);
    const auto capture = LiveCapture::open({.interface = "lo"});
    ::_exit(!capture && capture.error().find("CAP_NET_RAW") != std::string::npos ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Rights, AUserThatDoesNotExistIsNamed) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may become another user";
  const pid_t child = ::fork();
  if (child == 0) {
    const auto dropped = drop_rights("nobody-by-this-name");
    const auto root = drop_rights("root");
    ::_exit(!dropped && dropped.error().find("nobody-by-this-name") != std::string::npos && !root ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace chancery::sensor
