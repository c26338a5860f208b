#include <cstddef>
#include <cstdint>

#include "codec/testing/fuzz.h"
#include "codec/toc/toc.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return chancery::testing::fuzz_codec(chancery::toc::kProtocol, {reinterpret_cast<const char*>(data), size},
                                       [](const chancery::Unit&) { return false; });
}
