#pragma once
// What a receiver sees in place of what a redaction takes away: the same in every protocol and in every view.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "event/decision.h"

namespace chancery {

inline constexpr char kMaskCharacter = '*';  // ASCII, so that it can stand in any encoding and any markup

// `text` (texts[part] of an event) with each character that `masks` touches replaced by one kMaskCharacter. A mask
// that ends inside a character takes all of it; one that lies beyond the text takes nothing.
std::string apply_masks(std::string_view text, std::uint32_t part, std::span<const Mask> masks);

}  // namespace chancery
