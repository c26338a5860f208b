#include <cstdint>
#include <cstdlib>

#include "sensor/meta/tunnel.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery::sensor;
  const chancery::Bytes octets{reinterpret_cast<const char*>(data), size};
  const chancery::Bytes client = octets.substr(0, size / 2), server = octets.substr(size / 2);
  if (const auto tunnel = find_tunnel(client, server))
    if (tunnel->client_begin > client.size() || tunnel->server_begin > server.size()) std::abort();
  if (const auto at = find_starttls(octets); at && *at >= size) std::abort();
  return 0;
}
