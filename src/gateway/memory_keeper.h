#pragma once
// Follows the log while the gateway runs and writes a snapshot of what a restart must know each time a segment begins,
// so that after a crash no more than the newest segment is read back. docs/guide/gateway.md, "What a restart reads".
#include <functional>
#include <system_error>

#include "gateway/memory.h"

namespace chancery::gateway {

class MemoryKeeper {
 public:
  using OnProblem = std::function<void(std::error_code)>;
  // `memory` is what the log told up to record `memory.size`. `on_problem` is called on the thread that calls `record`,
  // for the first of several failures to write in a row.
  MemoryKeeper(std::filesystem::path file, std::string origin, Memory memory, OnProblem on_problem);

  // Each durable record, in order; those below what is known are passed over. Null: it cannot be read. One thread.
  void record(std::uint64_t index, const Leaf& leaf, const Record* record);
  const Memory& memory() const { return memory_; }

 private:
  void save();

  const std::filesystem::path file_;
  const std::string origin_;
  Memory memory_;
  Recall recall_{memory_};
  OnProblem on_problem_;
  bool has_failed_ = false;
};

}  // namespace chancery::gateway
