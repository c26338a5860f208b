#pragma once
// Reading numbers from untrusted octets. A `Reader` that runs out stays failed and yields zeros and empty views, so
// that a parser may check `ok()` once behind a group of fields.
#include <cstdint>

#include "core/bytes.h"

namespace chancery::sensor {
namespace checked {

constexpr std::uint8_t octet(Bytes octets, std::size_t at) {  // 0 beyond the end
  return at < octets.size() ? static_cast<std::uint8_t>(octets[at]) : std::uint8_t{0};
}
constexpr std::uint16_t be16(Bytes octets, std::size_t at) {
  return static_cast<std::uint16_t>(octet(octets, at) << 8 | octet(octets, at + 1));
}
constexpr std::uint32_t be32(Bytes octets, std::size_t at) {
  return static_cast<std::uint32_t>(be16(octets, at)) << 16 | be16(octets, at + 2);
}
constexpr std::uint16_t le16(Bytes octets, std::size_t at) {
  return static_cast<std::uint16_t>(octet(octets, at + 1) << 8 | octet(octets, at));
}
constexpr std::uint32_t le32(Bytes octets, std::size_t at) {
  return static_cast<std::uint32_t>(le16(octets, at + 2)) << 16 | le16(octets, at);
}

}  // namespace checked
using checked::be16, checked::be32, checked::le16, checked::le32, checked::octet;

// Network order.
class Reader {
 public:
  explicit constexpr Reader(Bytes octets) : rest_(octets) {}

  constexpr bool ok() const { return ok_; }
  constexpr std::size_t left() const { return rest_.size(); }
  constexpr Bytes rest() const { return rest_; }

  constexpr std::uint8_t u8() { return octet(take(1), 0); }
  constexpr std::uint16_t u16() { return be16(take(2), 0); }
  constexpr std::uint32_t u24() {
    const Bytes three = take(3);
    return static_cast<std::uint32_t>(octet(three, 0)) << 16 | be16(three, 1);
  }
  constexpr std::uint32_t u32() { return be32(take(4), 0); }

  constexpr Bytes take(std::size_t size) {
    if (size > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const Bytes taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  // What a length of one, two or three octets counts.
  constexpr Bytes counted8() { return take(u8()); }
  constexpr Bytes counted16() { return take(u16()); }
  constexpr Bytes counted24() { return take(u24()); }

 private:
  Bytes rest_;
  bool ok_ = true;
};

}  // namespace chancery::sensor
