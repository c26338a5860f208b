#include "codec/gadu/protobuf.h"

#include "codec/wire/octets.h"

namespace chancery::gadu {
namespace {

enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, octets = 2, fixed32 = 5 };

std::uint64_t take_varint(Octets& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const std::uint8_t octet = in.u8();
    value |= static_cast<std::uint64_t>(octet & 0x7f) << shift;
    if ((octet & 0x80) == 0) break;
  }
  return value;
}

std::optional<Bytes> find(Bytes message, std::uint32_t field, Wire wanted) {
  for (Octets in{message}; in.left() > 0;) {
    const std::uint64_t key = take_varint(in);
    const auto wire = static_cast<Wire>(key & 7);
    Bytes value;
    if (wire == Wire::varint)
      take_varint(in);
    else if (wire == Wire::octets)
      value = in.take(take_varint(in));
    else if (wire == Wire::fixed64 || wire == Wire::fixed32)
      value = in.take(wire == Wire::fixed64 ? 8 : 4);
    else
      return std::nullopt;
    if (!in.ok()) return std::nullopt;
    if (key >> 3 == field && wire == wanted) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Bytes> find_octets(Bytes message, std::uint32_t field) { return find(message, field, Wire::octets); }

std::optional<std::uint32_t> find_fixed32(Bytes message, std::uint32_t field) {
  const auto octets = find(message, field, Wire::fixed32);
  if (!octets) return std::nullopt;
  return Octets{*octets}.u32_le();
}

}  // namespace chancery::gadu
