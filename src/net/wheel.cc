#include "net/wheel.h"

#include <algorithm>

namespace chancery::net {

void Timer::disarm() {
  if (next_ == nullptr) return;
  previous_->next_ = next_;
  next_->previous_ = previous_;
  next_ = previous_ = nullptr;
}

Wheel::Wheel(std::function<Clock::time_point()> clock)
    : clock_(std::move(clock)), start_(clock_()), slots_(new Timer[kSlots]) {
  for (std::size_t i = 0; i < kSlots; ++i) slots_[i].next_ = slots_[i].previous_ = &slots_[i];
}

Wheel::~Wheel() {
  for (std::size_t i = 0; i < kSlots; ++i)
    while (!empty(i)) slots_[i].next_->disarm();
  for (std::size_t i = 0; i < kSlots; ++i) slots_[i].next_ = slots_[i].previous_ = nullptr;
}

std::uint64_t Wheel::tick_now() const { return static_cast<std::uint64_t>((clock_() - start_) / kTick); }

void Wheel::arm(Timer& timer, Clock::duration after) {
  timer.disarm();
  const auto due = clock_() - start_ + std::max(after, Clock::duration{0});
  const auto tick = static_cast<std::uint64_t>((due + kTick - Clock::duration{1}) / kTick);
  timer.tick_ = std::max(tick, done_ + 1);
  const std::size_t slot = timer.tick_ % kSlots;
  occupied_[slot / 64] |= 1ULL << (slot % 64);
  Timer& head = slots_[slot];
  timer.previous_ = head.previous_;
  timer.next_ = &head;
  head.previous_->next_ = &timer;
  head.previous_ = &timer;
}

void Wheel::advance() {
  const std::uint64_t now = tick_now();
  if (now == done_) return;
  const std::uint64_t first = now - done_ >= kSlots ? now - kSlots + 1 : done_ + 1;
  done_ = now;
  // What is due moves to a list of its own first: an action may arm, disarm or destroy any timer.
  Timer due;
  due.next_ = due.previous_ = &due;
  for (std::uint64_t tick = first; tick <= now; ++tick) {
    Timer& head = slots_[tick % kSlots];
    for (Timer* timer = head.next_; timer != &head;) {
      Timer* const next = timer->next_;
      if (timer->tick_ <= now) {
        timer->disarm();
        timer->previous_ = due.previous_;
        timer->next_ = &due;
        due.previous_->next_ = timer;
        due.previous_ = timer;
      }
      timer = next;
    }
    if (empty(tick % kSlots)) occupied_[tick % kSlots / 64] &= ~(1ULL << (tick % 64));
  }
  while (due.next_ != &due) {
    Timer* const timer = due.next_;
    timer->disarm();
    const std::function<void()> action = timer->action_;  // the action may destroy the timer
    action();
  }
  due.next_ = due.previous_ = nullptr;
}

int Wheel::wait_ms() const {
  for (std::uint64_t ahead = 1; ahead <= kSlots; ++ahead) {
    const std::uint64_t tick = done_ + ahead;
    const std::uint64_t word = occupied_[tick % kSlots / 64];
    if (word == 0 && tick % 64 == 0) ahead += 63;  // a whole word of empty slots
    if ((word & 1ULL << (tick % 64)) == 0) continue;
    const auto due = start_ + kTick * static_cast<std::int64_t>(done_ + ahead);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - clock_());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  }
  return -1;
}

}  // namespace chancery::net
