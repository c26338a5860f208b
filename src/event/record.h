#pragma once
// A record is what the journal keeps of one event: the event, its decision, who and where, and the wire octets it came
// from with secrets masked. Encoded as deterministic CBOR (RFC 8949 §4.2.1), specified in docs/formats/record.md.
// One record is one event: a unit with several events (PRIVMSG to two targets) becomes several records, written
// together, of which only the first carries the wire.
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/id.h"
#include "event/decision.h"
#include "event/event.h"

namespace chancery {

inline constexpr std::uint64_t kRecordVersion = 1;

// One later leg of a recorded event (see "What counts as one message" in docs/formats/record.md).
struct Delivery {
  std::uint64_t ref = 0;      // index, in the same log, of the record that was delivered
  std::string to;             // the address whose leg this was
  SessionId session;          // that leg's session
  Instant time;               // when it was released to the receiver's socket
  bool matched_copy = false;  // a delayed or archive copy, not the live one
  bool operator==(const Delivery&) const = default;
};

// What a session read and what became of it; written with stream_close and heartbeat.
// read = forwarded + redacted + refused + held + undeliverable + unknown_after_crash.
struct Counters {
  std::uint64_t read = 0, forwarded = 0, redacted = 0, refused = 0, held = 0, undeliverable = 0,
                unknown_after_crash = 0;
  bool operator==(const Counters&) const = default;
};

// The flow in which a sensor saw an event. Nothing was decided or forwarded: it went by.
struct Seen {
  std::string client, server;  // "192.0.2.1:5222", "[2001:db8::1]:443"; empty in records about the record
  bool operator==(const Seen&) const = default;
};

struct Record {
  Instant time;          // when the gateway read it; seen by a sensor: when the packet that completed it passed
  std::string protocol;  // "xmpp", "irc"; "chancery" for records about the record
  std::string network;   // the route's name in the configuration; the sensor's own name
  Side read_from = Side::client;  // client: outbound from the user ("out" in JSON), server: "in"
  ConnectionId connection;
  SessionId session;                        // nil until signed in
  std::string account;                      // the session's own address (bare JID, nick); empty until known
  ConversationId conversation;              // random; the log's own conversation for records about the record
  std::uint64_t conversation_sequence = 0;  // counts up by one within (log, conversation), from 0
  Event event;
  Decision decision;
  Buffer wire;                       // secrets overwritten with '*'; empty when an earlier record of the unit has it
  std::uint32_t wire_in = 0;         // 0: `wire` is here; n: it is in the record n places before
  std::vector<Secret> secrets;       // the masked spans
  std::vector<Delivery> deliveries;  // only for Kind::delivery
  std::optional<Counters> counters;  // only for stream_close and heartbeat
  std::optional<Seen> seen;          // by a sensor, beside the wire; `decision` then says nothing
  Buffer unknown;                    // fields of a later version, kept as they came: an encoded CBOR map, or empty
  bool operator==(const Record&) const = default;
};

// "forward", …, or "seen": how JSON, search and command line tell what became of it.
std::string_view verdict_name(const Record& record);

enum class RecordError {
  malformed = 1,  // not CBOR of a record
  not_canonical,  // `encode` would have written the same content otherwise
  version,        // not kRecordVersion
};
std::error_code make_error_code(RecordError error);

Buffer encode(const Record& record);
// The same into `out`, which is cleared first and keeps its memory, from parts that stand in different places: `event`
// (as of kind `kind`), `decision`, `wire` and `secrets` count, not those of `record`.
struct RecordParts {
  const Record& record;
  const Event& event;
  const Decision& decision;
  Kind kind;
  Bytes wire;
  const std::vector<Secret>& secrets;
};
void encode(const RecordParts& parts, Buffer& out);
// Strict: anything that `encode` could not have produced (order, non-shortest lengths, wrong types) is an error.
// So decode_record(encode(r)) == r, and whatever decodes encodes to the same octets.
std::expected<Record, std::error_code> decode_record(Bytes cbor);

// The JSON Lines view: one object, no newline, keys in a fixed order; a delivery record gives one object for each of
// its deliveries. `log` is the origin ("site/node/epoch"), `index` the record's place in it. docs/formats/jsonl.md.
std::vector<std::string> to_json(const Record& record, std::string_view log, std::uint64_t index);

}  // namespace chancery

template <>
struct std::is_error_code_enum<chancery::RecordError> : std::true_type {};
