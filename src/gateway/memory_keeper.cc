#include "gateway/memory_keeper.h"

namespace chancery::gateway {

MemoryKeeper::MemoryKeeper(std::filesystem::path file, std::string origin, Memory memory, OnProblem on_problem)
    : file_(std::move(file)),
      origin_(std::move(origin)),
      memory_(std::move(memory)),
      on_problem_(std::move(on_problem)) {}

void MemoryKeeper::record(std::uint64_t index, const Leaf& leaf, const Record* record) {
  if (index != memory_.size) return;
  if (leaf.type == LeafType::segment_opened) save();
  recall_.decoded(index, leaf, record);
}

void MemoryKeeper::save() {
  const auto error = save_memory(file_, origin_, memory_);
  if (error && !has_failed_) on_problem_(error);
  has_failed_ = static_cast<bool>(error);
}

}  // namespace chancery::gateway
