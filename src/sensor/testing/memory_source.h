#pragma once
#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "core/bytes.h"
#include "sensor/capture/byte_source.h"

namespace chancery::sensor::testing {

// Octets in memory, given out in pieces of at most `piece`.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(Buffer octets, std::size_t piece = SIZE_MAX) : octets_(std::move(octets)), piece_(piece) {}

  std::expected<std::size_t, std::string> read(char* out, std::size_t size) override {
    const std::size_t count = std::min({size, piece_, octets_.size() - at_});
    std::memcpy(out, octets_.data() + at_, count);
    at_ += count;
    return count;
  }
  std::uint64_t consumed() const override { return at_; }

 private:
  const Buffer octets_;
  const std::size_t piece_;
  std::size_t at_ = 0;
};

}  // namespace chancery::sensor::testing
