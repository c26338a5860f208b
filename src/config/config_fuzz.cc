// Any text either is a configuration or is refused by a yaml::Error; nothing else happens.
#include <array>
#include <cstddef>
#include <cstdint>

#include "config/load.h"

namespace {

using chancery::Protocol;
constexpr Protocol kXmpp{
    .name = "xmpp", .ports = {}, .probe = nullptr, .make = nullptr, .make_shared = nullptr, .starttls = true};
constexpr std::array<const Protocol*, 1> kProtocols = {&kXmpp};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    chancery::config::parse({reinterpret_cast<const char*>(data), size}, {"fuzz", "/", kProtocols, nullptr});
  } catch (const chancery::yaml::Error&) {
  }
  return 0;
}
