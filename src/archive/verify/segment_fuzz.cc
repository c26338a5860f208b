// Segments, histories, bundles and keys from anyone: nothing crashes, and what parses as a bundle is written again.
#include <cstdlib>

#include "archive/verify/bundle.h"
#include "archive/verify/history.h"
#include "archive/verify/segment.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  const Bytes input{reinterpret_cast<const char*>(data), size};
  (void)verify::read_segment(input, verify::first_segment("o/n/00000001-00000000"), [](const verify::Frame&) {});
  (void)verify::read_history({Buffer{input}, Buffer{input} + "\n", {}}, "o/n/00000001-00000000");
  (void)verify::parse_held(input);
  (void)verify::parse_keys(input);
  (void)verify::verify_bundle(input, {});
  if (const auto bundle = verify::Bundle::parse(input); bundle && bundle->encode() != input) std::abort();
  return 0;
}
