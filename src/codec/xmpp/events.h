#pragma once
// Reads what a stanza says to people: appends events and secrets to the unit that carries it, and keeps the session's
// knowledge (rooms, outstanding archive queries, sign-in) up to date.
#include <string_view>
#include <system_error>

#include "codec/codec.h"
#include "codec/wire/xml.h"
#include "codec/xmpp/session.h"

namespace chancery::xmpp {

// Errors: too_many (addressees, Limits::targets_max).
std::error_code read_message(Session& session, Side side, const xml::Element& message, Unit& unit);
// What this client's message, as it left, will look like should it bounce.
std::uint64_t digest_of_sent(const Session& session, const Event& event);  // 0: it has no text
void remember_sent(Session& session, std::uint64_t digest);                // 0: nothing
void read_presence(Session& session, Side side, const xml::Element& presence, Unit& unit);

// What an <iq/> was found to be, beyond its events.
enum class IqMeaning : std::uint8_t { plain, signed_in, sign_in_failed };
IqMeaning read_iq(Session& session, Side side, const xml::Element& iq, Unit& unit);

// File offers in an <iq type='set'/> or in the payload of a message.
void read_iq_offers(Session& session, Side side, const xml::Element& iq, Unit& unit);
void read_shared_files(const xml::Element& sharing, Event& event);

// Marks the octets of passwords and tokens in any stanza.
void find_secrets(const xml::Element& stanza, Unit& unit);

// Sender, receiver and room of a stanza in normal form. `from` and `to` are the attributes as they stand: a client
// always speaks for itself, and an absent address is the account's own (RFC 6120 §8.1, RFC 6121 §8.1.1.1).
void set_parties(const Session& session, Side side, std::string_view from, std::string_view to, bool in_room,
                 Event& event);

}  // namespace chancery::xmpp
