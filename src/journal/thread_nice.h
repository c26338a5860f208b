#pragma once
// The share of the processors that the calling thread claims.
#include <system_error>

namespace chancery::journal {

// −20 (most) … 19 (least), as nice(1) has it. Going below what the process has needs CAP_SYS_NICE or RLIMIT_NICE.
std::error_code set_thread_nice(int nice);

// Work that has time: longer slices, never preempts what others wake up for (SCHED_BATCH), and the least share.
// Best effort.
void make_thread_background();

}  // namespace chancery::journal
