#include "net/loop.h"

#include <algorithm>
#include <sys/eventfd.h>
#include <system_error>

namespace chancery::net {
namespace {

[[noreturn]] void throw_errno(const char* what) { throw std::system_error(errno, std::system_category(), what); }

}  // namespace

Loop::Loop()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      ready_(kEventsMax),
      read_buffer_(kReadSize),
      plain_buffer_(kPlainSize) {
  if (!epoll_) throw_errno("epoll_create1");
  if (!wake_) throw_errno("eventfd");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;  // no Pollable: the wake-up itself
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event) != 0) throw_errno("epoll_ctl");
}

Loop::~Loop() = default;

void Loop::run() {
  while (!stopping_.load(std::memory_order_relaxed)) turn(true);
}

void Loop::stop() {
  post([this] { stopping_.store(true, std::memory_order_relaxed); });
}

void Loop::turn(bool may_wait) {
  const int timeout = wait_ms(may_wait);
  const int count = ::epoll_wait(epoll_.get(), ready_.data(), kEventsMax, timeout);
  {
    const std::lock_guard lock(mutex_);
    asleep_ = false;
  }
  ready_size_ = count > 0 ? static_cast<std::size_t>(count) : 0;
  for (ready_next_ = 0; ready_next_ < ready_size_;) {
    const epoll_event event = ready_[ready_next_++];
    if (event.data.ptr == nullptr) {
      std::uint64_t ignored = 0;
      [[maybe_unused]] const auto n = ::read(wake_.get(), &ignored, sizeof ignored);
    } else if (event.data.ptr != this) {
      static_cast<Pollable*>(event.data.ptr)->on_ready(event.events);
    }
  }
  wheel_.advance();
  run_tasks();
  run_deferred();
}

int Loop::wait_ms(bool may_wait) {
  const std::lock_guard lock(mutex_);
  if (!may_wait || !tasks_.empty() || !deferred_.empty() || stopping_) return 0;
  asleep_ = true;
  return wheel_.wait_ms();
}

void Loop::post(std::function<void()> task) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    wake = std::exchange(asleep_, false);
  }
  if (!wake) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
}

void Loop::run_tasks() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (auto& task : tasks) task();
}

void Loop::run_deferred() {
  // Work may defer more work, also itself: that belongs to this turn too, but an object is flushed only once a round.
  for (std::size_t i = 0; i < deferred_.size(); ++i) {
    Deferred* work = deferred_[i];
    if (work == nullptr) continue;
    work->queued_ = false;
    work->on_turn_end();
  }
  deferred_.clear();
  while (!disposals_.empty()) {
    std::vector<std::function<void()>> tasks;
    tasks.swap(disposals_);
    for (auto& task : tasks) task();
  }
}

void Loop::watch(int fd, std::uint32_t events, Pollable& who) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &who;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) throw_errno("epoll_ctl(add)");
}

void Loop::rewatch(int fd, std::uint32_t events, Pollable& who) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &who;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0) throw_errno("epoll_ctl(mod)");
}

void Loop::unwatch(int fd, Pollable& who) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  // What this turn has still to deliver to it must not arrive any more: it may be destroyed.
  for (std::size_t i = ready_next_; i < ready_size_; ++i)
    if (ready_[i].data.ptr == &who) ready_[i].data.ptr = this;
}

void Loop::defer(Deferred& work) {
  if (work.queued_) return;
  work.queued_ = true;
  deferred_.push_back(&work);
}

void Loop::cancel(Deferred& work) {
  if (!work.queued_) return;
  work.queued_ = false;
  std::replace(deferred_.begin(), deferred_.end(), &work, static_cast<Deferred*>(nullptr));
}

Instant Loop::now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

}  // namespace chancery::net
