#include <cstddef>
#include <cstdint>

#include "codec/msrp/msrp.h"
#include "codec/testing/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return chancery::testing::fuzz_codec(chancery::msrp::kProtocol, {reinterpret_cast<const char*>(data), size},
                                       [](const chancery::Unit&) { return false; });
}
