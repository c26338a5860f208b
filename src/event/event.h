#pragma once
// What codecs find in the wire: the one vocabulary that gateway, sensor, policy, journal, index and exports share.
// An Event is plain data: no sockets, clocks, randomness. Its canonical encoding is docs/formats/record.md.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "core/time.h"

namespace chancery {

// The two ends of the wire. (`internal`/`external`, who belongs to the organisation, is a different question.)
enum class Side : std::uint8_t { client = 0, server = 1 };
constexpr Side other(Side side) { return side == Side::client ? Side::server : Side::client; }

// Numbers are part of the journal format: never reuse one.
enum class Kind : std::uint8_t {
  message = 1,        // something a person (or a bot) said
  edit = 2,           // replaces `ref` (XEP-0308, …)
  retraction = 3,     // withdraws `ref` (XEP-0424)
  reaction = 4,       // `detail` = the reactions, space-separated; empty = all withdrawn (XEP-0444)
  delivery = 5,       // a later leg of a recorded event: written by the gateway, not by codecs
  history = 6,        // a delayed copy whose original this archive does not hold
  join = 7,           // `from` entered `room` (as `detail` = nickname where that differs)
  leave = 8,          // `from` left `room`; `detail` = reason; kicked or banned: `to` = {who did it}
  nick = 9,           // `from` is now called `detail`
  topic = 10,         // the subject of `room` is now texts[0]
  presence = 11,      // off by default
  file_offer = 12,    // files[] are offered
  sign_in = 13,       // `from` signed in (`accepted`) or was refused; `detail` = mechanism
  notice_shown = 14,  // the gateway told `to` the notice in texts[0]
  opaque = 15,        // seen but not read; `detail` = why
  sealed = 16,        // end-to-end encrypted: `seal` names the scheme; texts hold only what was in clear
  credential = 17,    // a secret of `from` went over the wire in clear; `detail` = what kind; never the secret itself

  // Records about the record itself. Only the gateway writes them.
  stream_open = 32,   // a connection was accepted; `detail` = peer address
  stream_close = 33,  // …and ended; `detail` = reason; `counters` of the session
  heartbeat = 34,     // the log was alive at this time
  gap = 35,           // an unclean restart or a torn tail; `detail` = what is missing and where it was kept
  outage = 36,        // recording, or an upstream, failed; `detail` = what, from when, until when
  policy_change = 37,
  clock_step = 38,  // the wall clock jumped; `detail` = by how much, and whether it is synchronised
  key_change = 39,
  protocol_error = 40,  // a peer broke the protocol; `detail` = the rule it broke
  epoch = 41,           // the first record of a log: format version and, if it continues another log, which
};
std::string_view to_string(Kind kind);  // "message", "file_offer", …
std::optional<Kind> kind_from_string(std::string_view name);

enum class Scope : std::uint8_t {
  direct = 1,   // between `from` and `to`
  room = 2,     // in `room`
  network = 3,  // about the connection itself (sign-in, protocol errors)
};

// How the codec knows that an event may be a later copy of one already seen. A copy that the gateway cannot match to
// a recorded event is judged as new (`echo`, `carbon`) or recorded as history (`delayed`, `archive`).
enum class Copy : std::uint8_t {
  none = 0,
  echo = 1,     // the server shows the sender his own message (MUC reflection, IRC echo-message)
  carbon = 2,   // XEP-0280, only from the user's own bare JID
  delayed = 3,  // XEP-0203 with an original time, room history on join
  archive = 4,  // XEP-0313 result of a query that is outstanding; IRC chathistory batch
  resend = 5,   // sent again after a stream resumption
};

// A run of text that stands in one piece in the wire. `text_*` are octet offsets in TextPart::text, `wire_*` in
// Unit::wire. The wire may be longer than the text (entities, escapes): a codec that masks rewrites whole segments.
struct Segment {
  std::uint32_t text_begin = 0;
  std::uint32_t text_end = 0;
  std::uint32_t wire_begin = 0;
  std::uint32_t wire_end = 0;
  bool operator==(const Segment&) const = default;
};

// One copy of what was said: a body in one language, a subject, the XHTML-IM rendering, an away reason, or what a tag
// beside the words says (IRCv3's client-only tags, which a server leaves out for clients that did not ask for them).
struct TextPart {
  enum class Role : std::uint8_t { body = 1, subject = 2, xhtml = 3, reason = 4, tag = 5 };
  Role role = Role::body;
  std::string language;  // BCP 47 as the wire says; empty = not said
  std::string text;      // decoded, UTF-8 (IRC: lossy when the wire was not)
  std::vector<Segment> segments;
  bool operator==(const TextPart&) const = default;
};

struct File {
  std::string name;
  std::optional<std::uint64_t> size;  // octets
  std::string media_type;             // as claimed by the sender
  std::string digest;                 // as claimed: "sha-256:<hex>"; empty = none
  std::string method;                 // "oob", "http-upload", "si", "ibb", "socks5", "jingle", "dcc"
  std::string url;                    // or DCC "address:port"
  bool operator==(const File&) const = default;
};

struct Event {
  Kind kind = Kind::message;
  Scope scope = Scope::direct;
  Copy copy = Copy::none;
  bool accepted = true;         // sign_in
  bool action = false;          // "/me": CTCP ACTION, XEP-0245
  std::string from;             // who: bare JID, room occupant's JID, or IRC nick
  std::string from_device;      // full JID, or nick!user@host, when known
  std::vector<std::string> to;  // whom: bare JIDs or nicks; for a room: empty (its `present` says who)
  std::string room;             // bare JID of the room or channel name; empty when direct
  std::string id;               // protocol id (stanza id, msgid); empty when the protocol has none
  std::string origin_id;        // XEP-0359 origin-id or a server's stable id when it differs from `id`
  std::string ref;              // protocol id of what an edit, retraction or reaction refers to
  std::string thread;           // XEP-0201
  std::vector<TextPart> texts;
  std::string seal;  // "omemo", "otr", "openpgp", …; empty when in clear
  std::vector<File> files;
  std::vector<std::string> present;    // room members this session knows of, when the event is in a room
  std::optional<Instant> stated_time;  // what a delay stamp or server-time tag says
  std::string detail;                  // see Kind
  bool operator==(const Event&) const = default;
};

// Octets of a unit that must never be stored: passwords, SASL, NickServ IDENTIFY, room passwords.
struct Secret {
  std::uint32_t wire_begin = 0;
  std::uint32_t wire_end = 0;
  std::string what;  // "sasl", "pass", "nickserv", "oper", "registration", "room-password"
  bool operator==(const Secret&) const = default;
};

}  // namespace chancery
