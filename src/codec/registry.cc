#include "codec/registry.h"

#include <array>

#include "codec/irc/irc.h"
#include "codec/xmpp/xmpp.h"

namespace chancery {
namespace {

constexpr std::array<const Protocol*, 2> kProtocols{
    &xmpp::kProtocol,
    &irc::kProtocol,
};

}  // namespace

std::span<const Protocol* const> protocols() { return kProtocols; }

const Protocol* find_protocol(std::string_view name) {
  for (const Protocol* protocol : protocols())
    if (protocol->name == name) return protocol;
  return nullptr;
}

}  // namespace chancery
