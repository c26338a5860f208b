#pragma once
// A listening TCP socket.
#include <functional>

#include "net/address.h"
#include "net/fd.h"
#include "net/loop.h"

namespace chancery::net {

class Listener final : public Pollable {
 public:
  using Accepted = std::function<void(Fd, const Address& peer)>;

  // Throws std::system_error that names the address. Port 0: the system chooses, see `local`.
  Listener(Loop& loop, const Address& address, Accepted accepted);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  const Address& local() const { return local_; }

 private:
  static constexpr int kAcceptsMax = 32;                              // in one turn
  static constexpr int kBacklog = 4'096;                              // the kernel cuts this to somaxconn
  static constexpr std::chrono::milliseconds kOutOfDescriptors{200};  // rest, instead of spinning on EMFILE

  void on_ready(std::uint32_t events) override;

  Loop& loop_;
  Accepted accepted_;
  Fd fd_;
  Address local_;
  Timer resume_;
};

}  // namespace chancery::net
