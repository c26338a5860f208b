#include <array>

#include "sensor/meta/quic.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery::sensor;
  const chancery::Bytes octets{reinterpret_cast<const char*>(data), size};
  const std::array<chancery::Bytes, 2> datagrams{octets.substr(0, size / 2), octets.substr(size / 2)};
  ClientHello hello;
  (void)parse_quic(datagrams, hello);
  (void)parse_quic(std::span{&octets, 1}, hello);
  return 0;
}
