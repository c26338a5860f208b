#pragma once
// Coarse timers for thousands of sessions: arming and disarming cost a list operation and never allocate. A timer
// fires at the first tick at or after its time, so up to one tick late, never early.
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace chancery::net {

class Wheel;

// Lives inside what it belongs to; destroying it disarms it.
class Timer {
 public:
  explicit Timer(std::function<void()> action) : action_(std::move(action)) {}
  ~Timer() { disarm(); }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void disarm();
  bool armed() const { return next_ != nullptr; }

 private:
  friend class Wheel;
  Timer() = default;  // a list's head

  std::function<void()> action_;
  Timer* next_ = nullptr;
  Timer* previous_ = nullptr;
  std::uint64_t tick_ = 0;
};

class Wheel {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kTick{20};

  Wheel() : Wheel([] { return Clock::now(); }) {}
  explicit Wheel(std::function<Clock::time_point()> clock);  // tests bring their own
  ~Wheel();

  void arm(Timer& timer, Clock::duration after);  // again: replaces the earlier time
  void advance();                                 // fires what is due
  int wait_ms() const;                            // until the next tick with a timer; -1: there is none
  Clock::time_point now() const { return clock_(); }

 private:
  static constexpr std::size_t kSlots = 1024;

  std::uint64_t tick_now() const;
  bool empty(std::size_t slot) const { return slots_[slot].next_ == &slots_[slot]; }

  std::function<Clock::time_point()> clock_;
  Clock::time_point start_;
  std::uint64_t done_ = 0;  // every tick up to here has fired
  std::unique_ptr<Timer[]> slots_;
  std::array<std::uint64_t, kSlots / 64> occupied_{};  // a bit a slot; may be set for a slot that was emptied since
};

}  // namespace chancery::net
