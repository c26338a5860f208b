#pragma once
// The closed list: what this codec changes in the wire, and the stanzas it says itself. docs/protocols/xmpp.md.
#include <span>
#include <string>
#include <string_view>

#include "codec/codec.h"
#include "codec/wire/xml.h"

namespace chancery::xmpp {

// The server's <stream:features/> without what cannot work, or must not, through a TLS-terminating gateway.
Buffer rewritten_features(const xml::Element& features);

// Whether a SASL mechanism is taken out of the offer: it binds to the TLS connection (…-PLUS), or trusts a client
// certificate that ends at the gateway (EXTERNAL).
bool is_withheld_mechanism(std::string_view mechanism);

// `unit` with every mask of `decisions` applied, and without payloads that could hold another copy of what was masked.
// Empty: it cannot be done, the stanza must not travel.
Buffer redacted(const Unit& unit, const xml::Element& stanza, std::span<const Decision> decisions);

// The stanza error that answers a refused stanza of the client (RFC 6120 §8.3). Empty: errors and results are not
// answered. `own` is the client's full JID.
Buffer refusal(const xml::Element& stanza, std::string_view own, std::string_view notice);

// What a refused request of somebody else is answered, as if from the client. Empty: not a request.
Buffer unavailable(const xml::Element& iq);

}  // namespace chancery::xmpp
