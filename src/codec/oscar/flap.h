#pragma once
// FLAP frames and the SNAC inside (docs/protocols/oscar.md, "Frames").
#include <cstdint>
#include <optional>

#include "codec/wire/frames.h"
#include "core/bytes.h"

namespace chancery::oscar {

inline constexpr std::size_t kFlapHeader = 6;

enum class Channel : std::uint8_t { sign_on = 1, data = 2, error = 3, sign_off = 4, keep_alive = 5 };

struct Snac {
  std::uint16_t family = 0;
  std::uint16_t subtype = 0;
  Bytes body;  // a piece of the frame; without what flag 0x8000 puts in front
};

extern const Framing kFraming;

Channel channel_of(Bytes frame);  // of a whole frame
Bytes payload_of(Bytes frame);
std::optional<Snac> snac_of(Bytes payload);

Likeness probe(Side from, Bytes octets);

}  // namespace chancery::oscar
