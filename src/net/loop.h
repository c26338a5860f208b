#pragma once
// The event loop of one thread: readiness (epoll, level-triggered), timers, posted tasks, and work that is put off to
// the end of the turn, so that everything a turn produced for one socket leaves in one system call. Why not Asio's
// own loop: docs/adr/0061-readiness-loop.md.
//
// All members but `post` and `stop` belong to the loop's thread.
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <sys/epoll.h>
#include <vector>

#include "core/bytes.h"
#include "core/time.h"
#include "net/fd.h"
#include "net/wheel.h"

namespace chancery::net {

// Something with a descriptor. `events` are EPOLL* bits. It may unwatch and destroy itself, or others, in the call.
class Pollable {
 public:
  virtual void on_ready(std::uint32_t events) = 0;

 protected:
  ~Pollable() = default;
};

// Work put off to the end of the turn. Queued at most once; `cancel` before it is destroyed.
class Deferred {
 public:
  virtual void on_turn_end() = 0;

 protected:
  virtual ~Deferred() = default;

 private:
  friend class Loop;
  bool queued_ = false;  // kept by the loop
};

class Loop {
 public:
  static constexpr std::size_t kReadSize = 64U << 10;       // octets read from one socket in one turn
  static constexpr std::size_t kPlainSize = kReadSize * 2;  // …and what they can decrypt to, an earlier record included

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();                // until `stop`
  void stop();               // any thread
  void turn(bool may_wait);  // one turn; `run` is a loop of these

  void post(std::function<void()> task);  // any thread; tasks run in the order of posting, before the turn's end

  void watch(int fd, std::uint32_t events, Pollable& who);
  void rewatch(int fd, std::uint32_t events, Pollable& who);
  void unwatch(int fd, Pollable& who);

  void defer(Deferred& work);
  void cancel(Deferred& work);

  // Runs after everything else of this turn: where objects that are on the call stack are destroyed.
  void dispose(std::function<void()> task) { disposals_.push_back(std::move(task)); }

  Wheel& wheel() { return wheel_; }
  static Instant now();  // wall clock

  // Buffers for the length of one call, shared by all streams of the loop: an idle stream owns none.
  std::span<char> read_buffer() { return read_buffer_; }
  std::span<char> plain_buffer() { return plain_buffer_; }
  Buffer& wire_buffer() { return wire_buffer_; }

 private:
  static constexpr int kEventsMax = 128;  // in one turn, so that tasks and flushes never wait long

  int wait_ms(bool may_wait);
  void run_tasks();
  void run_deferred();

  Fd epoll_;
  Fd wake_;
  Wheel wheel_;
  std::vector<epoll_event> ready_;
  std::size_t ready_next_ = 0;
  std::size_t ready_size_ = 0;
  std::vector<Deferred*> deferred_;
  std::vector<std::function<void()>> disposals_;
  std::vector<char> read_buffer_;
  std::vector<char> plain_buffer_;
  Buffer wire_buffer_;
  std::atomic<bool> stopping_ = false;

  std::mutex mutex_;  // guards the two below
  std::vector<std::function<void()>> tasks_;
  bool asleep_ = false;  // a poster must write to `wake_`
};

}  // namespace chancery::net
