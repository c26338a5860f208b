#include "codec/ymsg/packet.h"

#include <algorithm>
#include <charconv>

#include "codec/wire/octets.h"

namespace chancery::ymsg {
namespace {

constexpr Bytes kMagic{"YMSG"};
constexpr std::size_t kPairsMax = 8192;  // as many as the largest packet of a real server has, and more
constexpr std::uint16_t kVersionMax = 0x20;

bool may_be_magic(Bytes octets) { return kMagic.starts_with(octets.substr(0, kMagic.size())); }

Measured measure(Side /*from*/, Bytes octets, std::size_t /*seen*/) {
  if (!may_be_magic(octets)) return Measured::wrong();
  if (octets.size() < kHeaderSize) return Measured::more(kHeaderSize);
  Octets header{octets.substr(8)};
  return Measured::frame(kHeaderSize + header.u16());
}

// "YMSG", a version below 32 and a known kind of vendor: the word alone may be in a text.
Likeness begins(Side /*from*/, Bytes octets) {
  if (!may_be_magic(octets)) return Likeness::no;
  if (octets.size() < 8) return Likeness::need_more;
  Octets header{octets.substr(kMagic.size())};
  constexpr std::uint16_t kVendorMax = 0x1ff;
  return header.u16() <= kVersionMax && header.u16() <= kVendorMax ? Likeness::yes : Likeness::no;
}

}  // namespace

const Framing kFraming{measure, begins};

Bytes Packet::value(std::uint32_t key) const {
  const auto at = std::ranges::find(pairs, key, &Pair::key);
  return at == pairs.end() ? Bytes{} : at->value;
}

bool Packet::has(std::uint32_t key) const { return std::ranges::find(pairs, key, &Pair::key) != pairs.end(); }

std::vector<Bytes> Packet::values(std::uint32_t key) const {
  std::vector<Bytes> found;
  for (const Pair& pair : pairs)
    if (pair.key == key) found.push_back(pair.value);
  return found;
}

Packet parse_packet(Bytes wire) {
  Packet packet;
  Octets header{wire.substr(10)};
  packet.service = static_cast<Service>(header.u16());
  packet.status = header.u32();
  Bytes rest = wire.substr(kHeaderSize);
  while (!rest.empty() && packet.pairs.size() < kPairsMax) {
    const std::size_t key_end = rest.find(kSeparator);
    if (key_end == Bytes::npos) break;
    const Bytes digits = rest.substr(0, key_end);
    rest.remove_prefix(key_end + kSeparator.size());
    const std::size_t value_end = std::min(rest.find(kSeparator), rest.size());
    Pair pair;
    pair.value = rest.substr(0, value_end);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), pair.key);
    if (error == std::errc{} && end == digits.data() + digits.size()) packet.pairs.push_back(pair);
    rest.remove_prefix(std::min(value_end + kSeparator.size(), rest.size()));
  }
  return packet;
}

}  // namespace chancery::ymsg
