#include "codec/registry.h"

#include <array>

namespace chancery {
namespace {

constexpr std::array<const Protocol*, 0> kProtocols{};

}  // namespace

std::span<const Protocol* const> protocols() { return kProtocols; }

const Protocol* find_protocol(std::string_view name) {
  for (const Protocol* protocol : protocols())
    if (protocol->name == name) return protocol;
  return nullptr;
}

}  // namespace chancery
