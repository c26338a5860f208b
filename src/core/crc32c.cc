#include "core/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace chancery {
namespace {

constexpr auto kTable = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? value >> 1 ^ 0x82f63b78U : value >> 1;
    table[i] = value;
  }
  return table;
}();

std::uint32_t by_table(Bytes octets, std::uint32_t state) {
  for (const char c : octets) state = state >> 8 ^ kTable[(state ^ static_cast<unsigned char>(c)) & 0xff];
  return state;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t by_instruction(Bytes octets, std::uint32_t state) {
  std::uint64_t wide = state;
  while (octets.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, octets.data(), 8);
    wide = _mm_crc32_u64(wide, word);
    octets.remove_prefix(8);
  }
  state = static_cast<std::uint32_t>(wide);
  for (const char c : octets) state = _mm_crc32_u8(state, static_cast<unsigned char>(c));
  return state;
}
#endif

}  // namespace

std::uint32_t crc32c(Bytes octets, std::uint32_t crc) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) return ~by_instruction(octets, ~crc);
#endif
  return ~by_table(octets, ~crc);
}

}  // namespace chancery
