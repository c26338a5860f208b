#pragma once
// What a child element of a <message/> is, as far as this codec cares.
#include <cstdint>
#include <string_view>

#include "codec/wire/xml.h"

namespace chancery::xmpp {

enum class Payload : std::uint8_t {
  unknown,  // not known, or known and carrying text where its specification has none
  silent,   // known to say nothing to a person (chat states, receipts, markers, ids, hints, …)
  body,
  subject,
  thread,
  xhtml,
  error,
  delay,
  replace,     // XEP-0308
  retract,     // XEP-0424 v0.4
  fasten,      // XEP-0422: may carry a retraction of XEP-0424 v0.3
  reactions,   // XEP-0444
  carbon,      // XEP-0280
  archive,     // XEP-0313
  sealed,      // an end-to-end encrypted payload
  oob,         // XEP-0066
  sharing,     // XEP-0385, XEP-0447
  muc_user,    // XEP-0045: invitations
  invitation,  // XEP-0249
  addresses,   // XEP-0033
  origin_id,   // XEP-0359
  stanza_id,
  pubsub,  // XEP-0060 notification
};

Payload payload_of(const xml::Element& child);

// The name of the scheme of a `sealed` payload: "omemo", "openpgp", "smime", or what XEP-0380 names.
std::string_view seal_of(const xml::Element& child);

// Notifications of personal eventing that carry nothing one person says to another (keys, avatars, bookmarks, tunes).
bool is_silent_pubsub(const xml::Element& event);

// Whether the element may stay in a message whose text was masked: it cannot hold another copy of that text, or the
// copy was masked as a text part.
bool stays_when_masked(Payload payload);

}  // namespace chancery::xmpp
