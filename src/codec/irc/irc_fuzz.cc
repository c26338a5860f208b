#include <cstddef>
#include <cstdint>

#include "codec/irc/irc.h"
#include "codec/testing/fuzz.h"

// Units that the closed list of docs/protocols/irc.md names carry the codec's note to itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return chancery::testing::fuzz_codec(chancery::irc::kProtocol, {reinterpret_cast<const char*>(data), size},
                                       [](const chancery::Unit& unit) { return unit.action != 0; });
}
