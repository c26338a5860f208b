#pragma once
// Addresses (RFC 7622): localpart@domainpart/resourcepart.
#include <string>
#include <string_view>

namespace chancery::xmpp {

// The parts as they stand; empty when absent. Views into `jid`.
std::string_view bare_part(std::string_view jid);
std::string_view resource_part(std::string_view jid);
std::string_view local_part(std::string_view jid);
std::string_view domain_part(std::string_view jid);

// The same address in the one form that is compared and recorded: localpart and domainpart case-folded and in NFKC
// (RFC 7622 §3.2, §3.3; the older stringprep profiles give the same for assigned letters), the resourcepart as it is.
// "Alice@IM.Test/Home" and "alice@im.test/Home" are one address, and a rule about one must meet the other.
std::string normal_jid(std::string_view jid);
std::string normal_bare(std::string_view jid);

}  // namespace chancery::xmpp
