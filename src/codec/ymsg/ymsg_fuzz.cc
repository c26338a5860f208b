#include <cstddef>
#include <cstdint>

#include "codec/testing/fuzz.h"
#include "codec/ymsg/ymsg.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return chancery::testing::fuzz_codec(chancery::ymsg::kProtocol, {reinterpret_cast<const char*>(data), size},
                                       [](const chancery::Unit&) { return false; });
}
