#pragma once
// SIGTERM and SIGINT as something to poll, for commands that go on until they are told to end.
#include <csignal>
#include <sys/signalfd.h>
#include <unistd.h>

namespace chancery::app {

// From its making to its end the signals do nothing else. One at a time.
class EndSignals {
 public:
  EndSignals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, &before_);
    descriptor_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~EndSignals() {
    signalfd_siginfo taken;  // one that is still pending would end the process when it is let through again
    while (::read(descriptor_, &taken, sizeof taken) > 0) {
    }
    if (descriptor_ >= 0) ::close(descriptor_);
    sigprocmask(SIG_SETMASK, &before_, nullptr);
  }
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  sigset_t before_{};
  int descriptor_ = -1;
};

}  // namespace chancery::app
