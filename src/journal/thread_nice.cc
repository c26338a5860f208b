#include "journal/thread_nice.h"

#include <cerrno>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace chancery::journal {
namespace {

constexpr int kLeast = 19;

}  // namespace

// Linux gives each thread a nice value of its own; setpriority(2), "C library/kernel differences".
std::error_code set_thread_nice(int nice) {
  const auto thread = static_cast<id_t>(::syscall(SYS_gettid));
  if (::setpriority(PRIO_PROCESS, thread, nice) == 0) return {};
  return {errno, std::system_category()};
}

void make_thread_background() {
  static_cast<void>(set_thread_nice(kLeast));
  const sched_param none{};
  static_cast<void>(::sched_setscheduler(0, SCHED_BATCH, &none));  // 0: the calling thread
}

}  // namespace chancery::journal
