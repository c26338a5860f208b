#include "event/mask.h"

#include <algorithm>

namespace chancery {
namespace {

bool is_continuation(char octet) { return (static_cast<unsigned char>(octet) & 0xc0) == 0x80; }

}  // namespace

std::string apply_masks(std::string_view text, std::uint32_t part, std::span<const Mask> masks) {
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;  // first octet of `text` not yet written
  for (const Mask& mask : masks) {
    if (mask.part != part) continue;
    std::size_t begin = std::max<std::size_t>(mask.begin, at);
    std::size_t end = std::min<std::size_t>(mask.end, text.size());
    if (begin >= end) continue;
    while (begin > at && is_continuation(text[begin])) --begin;
    while (end < text.size() && is_continuation(text[end])) ++end;
    out.append(text.substr(at, begin - at));
    const auto hidden = text.substr(begin, end - begin);
    const auto characters = hidden.size() - static_cast<std::size_t>(std::ranges::count_if(hidden, is_continuation));
    out.append(std::max<std::size_t>(characters, 1), kMaskCharacter);
    at = end;
  }
  out.append(text.substr(at));
  return out;
}

}  // namespace chancery
