#pragma once
// Octets of TCP segments that came before their turn, in blocks of one size that are used again and again: no
// allocation for a packet, and one bound for all flows together.
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/bytes.h"
#include "core/time.h"

namespace chancery::sensor {

class SegmentPool {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::size_t kBlockSize = 2'048;

  struct Block {
    std::uint32_t next = kNone;
    std::uint32_t sequence = 0;
    Instant time;
    std::uint16_t size = 0;
    std::array<char, kBlockSize> octets;

    Bytes bytes() const { return {octets.data(), size}; }
    std::uint32_t end() const { return sequence + size; }
  };

  explicit SegmentPool(std::size_t blocks_max) : blocks_max_(blocks_max) {}

  std::uint32_t take() {  // kNone: all are in use
    if (free_ == kNone && !grow()) return kNone;
    const std::uint32_t taken = free_;
    free_ = (*this)[taken].next;
    ++used_;
    return taken;
  }
  void give_back(std::uint32_t block) {
    (*this)[block].next = free_;
    free_ = block;
    --used_;
  }
  Block& operator[](std::uint32_t block) { return chunks_[block / kChunk][block % kChunk]; }

  std::size_t used() const { return used_; }
  std::size_t memory() const { return chunks_.size() * kChunk * sizeof(Block); }

 private:
  static constexpr std::uint32_t kChunk = 64;

  bool grow() {
    if (chunks_.size() * kChunk >= blocks_max_) return false;
    const auto first = static_cast<std::uint32_t>(chunks_.size()) * kChunk;
    chunks_.push_back(std::make_unique_for_overwrite<Block[]>(kChunk));
    for (std::uint32_t i = kChunk; i-- > 0;) {
      (*this)[first + i].next = free_;
      free_ = first + i;
    }
    return true;
  }

  const std::size_t blocks_max_;
  std::vector<std::unique_ptr<Block[]>> chunks_;
  std::uint32_t free_ = kNone;
  std::size_t used_ = 0;
};

}  // namespace chancery::sensor
