#include <cstdlib>

#include "sensor/meta/stun.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery::sensor;
  const chancery::Bytes octets{reinterpret_cast<const char*>(data), size};
  if (const auto message = parse_stun(octets); message && message->attributes.size() > kStunAttributesMax) std::abort();
  (void)parse_stun_stream(octets);
  return 0;
}
