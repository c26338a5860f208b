#include "net/dialer.h"

#include <gtest/gtest.h>

#include "net/testing.h"

namespace chancery::net {
namespace {

using testing::turn_until;

struct DialerTest : ::testing::Test {
  Loop loop;
  Resolver resolver{loop};
  std::optional<std::expected<Fd, std::error_code>> result;
  Dial::Done keep = [this](auto done) { result.emplace(std::move(done)); };
};

TEST_F(DialerTest, ReachesALiteralAddressAndAName) {
  testing::Door door;
  for (const char* host : {"127.0.0.1", "localhost"}) {
    result.reset();
    const Dial dial(loop, resolver, host, door.port(), std::chrono::seconds(10), keep);
    EXPECT_FALSE(result);  // never from within the constructor
    ASSERT_TRUE(turn_until(loop, [&] { return result.has_value(); }));
    EXPECT_TRUE(*result) << host << ": " << result->error().message();
  }
}

TEST_F(DialerTest, ARefusedConnectionSaysSo) {
  std::uint16_t port = 0;
  {
    const testing::Door gone;
    port = gone.port();
  }
  const Dial dial(loop, resolver, "127.0.0.1", port, std::chrono::seconds(10), keep);
  ASSERT_TRUE(turn_until(loop, [&] { return result.has_value(); }));
  EXPECT_EQ(result->error(), std::errc::connection_refused);
}

TEST_F(DialerTest, AnUnknownNameIsNotFound) {
  const Dial dial(loop, resolver, "nowhere.invalid", 1, std::chrono::seconds(15), keep);
  ASSERT_TRUE(turn_until(loop, [&] { return result.has_value(); }));
  EXPECT_EQ(result->error(), DialError::not_found);
}

TEST_F(DialerTest, TheLimitHoldsWhenNothingAnswers) {
  // A full backlog drops the connection request: nothing answers.
  Fd full(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Address any = *Address::parse("127.0.0.1", 0);
  ASSERT_EQ(::bind(full.get(), any.data(), any.size()), 0);
  ASSERT_EQ(::listen(full.get(), 0), 0);
  const Address address = *Address::of_socket(full.get());
  std::vector<std::unique_ptr<Dial>> fillers;
  for (int i = 0; i < 4; ++i)
    fillers.push_back(
        std::make_unique<Dial>(loop, resolver, "127.0.0.1", address.port(), std::chrono::seconds(15), [](auto) {}));
  for (int i = 0; i < 10; ++i) loop.turn(false);
  const Dial dial(loop, resolver, "127.0.0.1", address.port(), std::chrono::milliseconds(60), keep);
  ASSERT_TRUE(turn_until(loop, [&] { return result.has_value(); }));
  EXPECT_EQ(result->error(), DialError::timed_out);
}

TEST_F(DialerTest, ADialThatIsGivenUpNeverCallsBack) {
  testing::Door door;
  {
    const Dial dial(loop, resolver, "localhost", door.port(), std::chrono::seconds(10), keep);
  }
  {
    const Dial dial(loop, resolver, "127.0.0.1", door.port(), std::chrono::seconds(10), keep);
  }
  bool other = false;
  const Dial last(loop, resolver, "localhost", door.port(), std::chrono::seconds(10), [&](auto) { other = true; });
  ASSERT_TRUE(turn_until(loop, [&] { return other; }));
  EXPECT_FALSE(result);
}

}  // namespace
}  // namespace chancery::net
