#include "codec/registry.h"

#include <algorithm>
#include <array>

#include "codec/gadu/gadu.h"
#include "codec/irc/irc.h"
#include "codec/msnp/msnp.h"
#include "codec/msrp/msrp.h"
#include "codec/oscar/oscar.h"
#include "codec/sip/sip.h"
#include "codec/toc/toc.h"
#include "codec/winpopup/winpopup.h"
#include "codec/xmpp/xmpp.h"
#include "codec/ymsg/ymsg.h"

namespace chancery {
namespace {

// Those with a forward half first: they are what a gateway's listener can be for.
constexpr std::array kProtocols = std::to_array<const Protocol*>({
    &xmpp::kProtocol,
    &irc::kProtocol,
    &oscar::kProtocol,
    &msnp::kProtocol,
    &ymsg::kProtocol,
    &toc::kProtocol,
    &gadu::kProtocol,
    &sip::kProtocol,
    &msrp::kProtocol,
    &winpopup::kProtocol,
});
constexpr std::size_t kOfGateway = 2;

}  // namespace

std::span<const Protocol* const> protocols() { return kProtocols; }

std::span<const Protocol* const> gateway_protocols() { return protocols().first(kOfGateway); }

const Protocol* find_protocol(std::string_view name) {
  for (const Protocol* protocol : protocols())
    if (protocol->name == name) return protocol;
  return nullptr;
}

}  // namespace chancery
