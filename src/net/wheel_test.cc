#include "net/wheel.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

namespace chancery::net {
namespace {

using std::chrono::milliseconds;

struct WheelTest : ::testing::Test {
  Wheel::Clock::time_point now{};
  Wheel wheel{[this] { return now; }};
  void pass(milliseconds time) {
    now += time;
    wheel.advance();
  }
};

TEST_F(WheelTest, FiresOnceAtItsTimeAndNotBefore) {
  int fired = 0;
  Timer timer([&] { ++fired; });
  wheel.arm(timer, milliseconds(100));
  pass(milliseconds(99));
  EXPECT_EQ(fired, 0);
  pass(milliseconds(21));
  EXPECT_EQ(fired, 1);
  pass(milliseconds(10'000));
  EXPECT_EQ(fired, 1);
}

TEST_F(WheelTest, ArmingAgainReplacesTheEarlierTime) {
  int fired = 0;
  Timer timer([&] { ++fired; });
  wheel.arm(timer, milliseconds(100));
  wheel.arm(timer, milliseconds(300));
  pass(milliseconds(250));
  EXPECT_EQ(fired, 0);
  pass(milliseconds(70));
  EXPECT_EQ(fired, 1);
}

TEST_F(WheelTest, LongerThanOneRoundStillFiresInTime) {
  int fired = 0;
  Timer timer([&] { ++fired; });
  wheel.arm(timer, std::chrono::hours(1));
  for (int i = 0; i < 3'599; ++i) pass(milliseconds(1'000));
  EXPECT_EQ(fired, 0);
  pass(milliseconds(1'020));
  EXPECT_EQ(fired, 1);
}

TEST_F(WheelTest, ASleepOverManyRoundsFiresEverythingDue) {
  int fired = 0;
  Timer a([&] { ++fired; });
  Timer b([&] { ++fired; });
  wheel.arm(a, milliseconds(40));
  wheel.arm(b, std::chrono::minutes(3));
  pass(std::chrono::minutes(10));
  EXPECT_EQ(fired, 2);
}

TEST_F(WheelTest, AnActionMayDestroyItselfAndOthers) {
  std::unique_ptr<Timer> first;
  std::unique_ptr<Timer> second;
  int fired = 0;
  first = std::make_unique<Timer>([&] {
    ++fired;
    second.reset();
    first.reset();
  });
  second = std::make_unique<Timer>([&] { ++fired; });
  wheel.arm(*first, milliseconds(20));
  wheel.arm(*second, milliseconds(20));
  pass(milliseconds(40));
  EXPECT_EQ(fired, 1);
}

TEST_F(WheelTest, AnActionMayArmItselfAgain) {
  int fired = 0;
  Timer timer([&] {
    ++fired;
    wheel.arm(timer, milliseconds(20));
  });
  wheel.arm(timer, milliseconds(20));
  for (int i = 0; i < 10; ++i) pass(milliseconds(20));
  EXPECT_EQ(fired, 10);
}

TEST_F(WheelTest, WaitNeverGoesPastTheNextTimer) {
  EXPECT_EQ(wheel.wait_ms(), -1);
  std::mt19937 random(20261123);
  for (int round = 0; round < 200; ++round) {
    bool fired = false;
    Timer timer([&] { fired = true; });
    const milliseconds after(random() % 60'000);
    wheel.arm(timer, after);
    milliseconds waited{0};
    for (int turns = 0; !fired && turns < 100; ++turns) {
      const milliseconds wait(std::max(wheel.wait_ms(), 1));
      waited += wait;
      pass(wait);
    }
    EXPECT_TRUE(fired) << after.count();
    EXPECT_GE(waited.count(), after.count());
    EXPECT_LE(waited.count(), after.count() + 2 * Wheel::kTick.count()) << "seed 20261123, round " << round;
  }
}

}  // namespace
}  // namespace chancery::net
