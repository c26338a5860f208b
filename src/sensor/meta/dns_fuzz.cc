#include <cstdlib>

#include "sensor/meta/dns.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery::sensor;
  const chancery::Bytes octets{reinterpret_cast<const char*>(data), size};
  if (const auto message = parse_dns(octets)) {
    if (message->question.size() > kDnsNameMax || message->aliases.size() > kDnsRecordsMax) std::abort();
    if (!message->response && !message->addresses.empty()) std::abort();
  }
  (void)parse_dns_stream(octets);
  return 0;
}
