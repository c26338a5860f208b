#pragma once
// Outgoing TCP connections with one time limit for name resolution and every address tried.
#include <condition_variable>
#include <deque>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "net/address.h"
#include "net/fd.h"
#include "net/loop.h"

namespace chancery::net {

enum class DialError {
  timed_out = 1,
  not_found,  // the name has no address
  busy,       // too many names wait for the resolver
};
std::error_code make_error_code(DialError error);

// Looks names up on a thread of its own, for getaddrinfo blocks. Answers are remembered for a few seconds.
class Resolver {
 public:
  using Done = std::function<void(std::vector<Address>)>;  // empty: not found

  explicit Resolver(Loop& loop);
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // `done` is called from the loop, never from within this call. False: too many wait already.
  bool resolve(const std::string& host, std::uint16_t port, Done done);

 private:
  static constexpr std::size_t kWaitingMax = 1'024;
  static constexpr std::chrono::seconds kRemembered{10};
  struct Question {
    std::string host;
    std::uint16_t port;
    Done done;
  };
  struct Remembered {
    Wheel::Clock::time_point until;
    std::vector<Address> addresses;
  };

  void work();
  std::vector<Address> look_up(const Question& question);

  Loop& loop_;
  std::mutex mutex_;  // guards the two below
  std::condition_variable changed_;
  std::deque<Question> questions_;
  bool stopping_ = false;
  std::map<std::string, Remembered> remembered_;  // the thread's own
  std::thread thread_;
};

// One attempt. Destroying it gives it up, and `done` is not called.
class Dial final : public Pollable {
 public:
  using Done = std::function<void(std::expected<Fd, std::error_code>)>;

  // `done` is called from the loop once, never from within the constructor; it may destroy the Dial.
  Dial(Loop& loop, Resolver& resolver, const std::string& host, std::uint16_t port, std::chrono::milliseconds limit,
       Done done);
  ~Dial();
  Dial(const Dial&) = delete;
  Dial& operator=(const Dial&) = delete;

 private:
  void on_ready(std::uint32_t events) override;
  void try_next();
  void drop();
  void finish(std::expected<Fd, std::error_code> result);

  Loop& loop_;
  Done done_;
  Timer limit_;
  std::vector<Address> addresses_;
  std::size_t next_ = 0;
  std::error_code last_error_ = make_error_code(DialError::not_found);
  Fd fd_;
  std::shared_ptr<Dial*> alive_;  // nulled by the destructor: answers may come later
};

}  // namespace chancery::net

template <>
struct std::is_error_code_enum<chancery::net::DialError> : std::true_type {};
