#include "codec/oscar/tlv.h"

namespace chancery::oscar {

std::optional<Tlv> next_tlv(Octets& in) {
  if (in.left() < 4) return std::nullopt;
  Tlv tlv;
  tlv.type = in.u16();
  tlv.value = in.take(in.u16());
  if (!in.ok()) return std::nullopt;
  return tlv;
}

std::optional<Bytes> find_tlv(Bytes block, std::uint16_t type) {
  Octets in{block};
  while (const auto tlv = next_tlv(in))
    if (tlv->type == type) return tlv->value;
  return std::nullopt;
}

Bytes take_name(Octets& in) { return in.take(in.u8()); }

Bytes take_user(Octets& in) {
  const Bytes name = take_name(in);
  in.u16();  // warning level
  for (std::uint16_t left = in.u16(); left > 0; --left)
    if (!next_tlv(in)) break;
  return name;
}

}  // namespace chancery::oscar
