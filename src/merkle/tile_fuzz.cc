// Tile names: what parses is written again octet for octet.
#include <cstdlib>

#include "merkle/tile.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  const Bytes input{reinterpret_cast<const char*>(data), size};
  if (const auto tile = merkle::parse_tile_path(input); tile && merkle::path_of(*tile) != input) std::abort();
  return 0;
}
