#pragma once
// A cursor over the octets of one binary frame. It never reads past the end: a read that would yields zero or nothing,
// and `ok()` is false from then on, so that a decoder may read a whole structure and ask once.
#include <cstddef>
#include <cstdint>

#include "core/bytes.h"

namespace chancery {

class Octets {
 public:
  explicit Octets(Bytes octets) : octets_(octets) {}

  std::uint8_t u8() { return static_cast<std::uint8_t>(big_endian(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(big_endian(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(big_endian(4)); }
  std::uint16_t u16_le() { return static_cast<std::uint16_t>(little_endian(2)); }
  std::uint32_t u32_le() { return static_cast<std::uint32_t>(little_endian(4)); }
  std::uint64_t u64_le() { return little_endian(8); }

  Bytes take(std::size_t size) {
    if (size > left()) {
      ok_ = false;
      at_ = octets_.size();
      return {};
    }
    const Bytes taken = octets_.substr(at_, size);
    at_ += size;
    return taken;
  }
  void skip(std::size_t size) { take(size); }
  Bytes rest() { return take(left()); }
  // Up to the zero octet that ends it (not part of it), or all there is.
  Bytes until_zero() {
    const std::size_t end = octets_.find('\0', at_);
    if (end == Bytes::npos) return rest();
    const Bytes taken = take(end - at_);
    skip(1);
    return taken;
  }

  std::size_t left() const { return octets_.size() - at_; }
  std::size_t at() const { return at_; }
  bool ok() const { return ok_; }

 private:
  std::uint64_t big_endian(std::size_t size) {
    std::uint64_t value = 0;
    for (const char octet : take(size)) value = value << 8 | static_cast<unsigned char>(octet);
    return value;
  }
  std::uint64_t little_endian(std::size_t size) {
    std::uint64_t value = 0;
    unsigned shift = 0;
    for (const char octet : take(size)) {
      value |= static_cast<std::uint64_t>(static_cast<unsigned char>(octet)) << shift;
      shift += 8;
    }
    return value;
  }

  Bytes octets_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace chancery
