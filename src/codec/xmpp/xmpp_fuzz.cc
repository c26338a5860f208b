#include <cstddef>
#include <cstdint>

#include "codec/testing/fuzz.h"
#include "codec/xmpp/xmpp.h"
#include "codec/xmpp/xmpp_codec.h"

namespace {

using chancery::xmpp::Action;

// Everything but plain stanzas and what is not known may stand in the closed list of docs/protocols/xmpp.md.
bool may_rewrite(const chancery::Unit& unit) {
  const auto action = static_cast<Action>(unit.action);
  return action != Action::pass && action != Action::stanza;
}

// Where the route demands STARTTLS, what the client says waits until the server's TLS stands.
bool may_rewrite_or_wait(const chancery::Unit& unit) {
  return unit.from == chancery::Side::client || may_rewrite(unit);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const bool server_starttls = size != 0 && (data[0] & 8U) != 0;
  return chancery::testing::fuzz_codec(chancery::xmpp::kProtocol, {reinterpret_cast<const char*>(data), size},
                                       server_starttls ? may_rewrite_or_wait : may_rewrite);
}
