#include "core/utf8.h"

#include <cstdint>
#include <cstring>

namespace chancery {
namespace {

// Length of the well-formed sequence at the start of `s`; 0 when ill-formed, and then `bad` is how many octets the
// maximal ill-formed part has (at least 1). Unicode §3.9 table 3-7.
std::size_t sequence_length(Bytes s, std::size_t& bad) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const unsigned char lead = at(0);
  bad = 1;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (std::size_t i = 1; i < length; ++i) {
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (i == 1 && lead == 0xe0) low = 0xa0;
    if (i == 1 && lead == 0xed) high = 0x9f;
    if (i == 1 && lead == 0xf0) low = 0x90;
    if (i == 1 && lead == 0xf4) high = 0x8f;
    if (i >= s.size() || at(i) < low || at(i) > high) {
      bad = i;
      return 0;
    }
  }
  return length;
}

bool is_ascii(const char* eight) {
  std::uint64_t word = 0;
  std::memcpy(&word, eight, sizeof word);
  return (word & 0x8080808080808080U) == 0;
}

// How many octets at the start are certainly ASCII: eight at a time, as nearly all addresses and most texts are.
std::size_t ascii_prefix(Bytes octets) {
  constexpr std::size_t kStep = sizeof(std::uint64_t);
  std::size_t i = 0;
  for (; i + kStep <= octets.size(); i += kStep)
    if (!is_ascii(octets.data() + i)) return i;
  // The last eight once more, with what is left.
  return i > 0 && is_ascii(octets.data() + octets.size() - kStep) ? octets.size() : i;
}

}  // namespace

bool is_utf8(Bytes octets) {
  std::size_t bad = 0;
  for (std::size_t i = ascii_prefix(octets); i < octets.size();) {
    const std::size_t length = sequence_length(octets.substr(i), bad);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

std::string to_utf8_lossy(Bytes octets) {
  std::string text;
  text.reserve(octets.size());
  std::size_t bad = 0;
  for (std::size_t i = 0; i < octets.size();) {
    if (const std::size_t length = sequence_length(octets.substr(i), bad); length != 0) {
      text.append(octets.substr(i, length));
      i += length;
    } else {
      text.append("\xef\xbf\xbd");
      i += bad;
    }
  }
  return text;
}

}  // namespace chancery
