#pragma once
// The contract between a protocol's codec and those who drive it: gateway session, sensor, transcript replay, fuzzers.
// A codec is a sans-I/O state machine for one connection: octets in, units out, and (gateway only) units back in,
// octets out. It owns no socket, clock, thread or randomness.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/bytes.h"
#include "core/time.h"
#include "event/decision.h"
#include "event/event.h"

namespace chancery {

// What travels or stops as a whole: a stanza, a line, a frame. Each of its events is decided by itself.
struct Unit {
  Side from = Side::client;
  Buffer wire;                  // the octets exactly as they came
  std::vector<Event> events;    // empty: nothing to record (whitespace, stream features, an iq): passed in order
  std::vector<Secret> secrets;  // sorted, not overlapping
  std::uint32_t action = 0;     // the codec's own note to its `release`; no one else reads it
  bool takes_over = false;      // leaves only when the connection that Codec::resumes() names is gone
  std::uint64_t number = 0;     // the codec's own number of the unit on its side; no one else reads it
  // Where every event is forwarded, `release` only passes `wire` on and needs neither events nor decisions: the driver
  // may have dropped both meanwhile. (Units wait for the disk by the thousand; what they hold falls out of the caches.)
  bool forwards_wire = false;
};

// What the driver must do, in this order. Consecutive sends to one side may be joined into one write.
struct Step {
  enum class What : std::uint8_t {
    send,         // `octets` to `side`
    start_tls,    // start a TLS handshake on `side` (as server towards the client, as client towards the server);
                  // later steps for that side wait until it is done; what was read before it in clear is discarded
    close,        // flush what was sent before, then close `side`
    identified,   // the session's own address is now `octets` (bare JID, nick); `side` is not used
    resumed,      // this connection continues the session whose key is `octets` (stream resumption)
    session_key,  // from now on this session can be resumed under the key `octets`
  };
  What what = What::send;
  Side side = Side::client;
  Buffer octets;
};

class Outbox {
 public:
  void send(Side side, Bytes octets) {
    if (octets.empty()) return;
    if (used_ == 0 || steps_[used_ - 1].what != Step::What::send || steps_[used_ - 1].side != side)
      add(Step::What::send, side, {});
    steps_[used_ - 1].octets.append(octets);
  }
  void start_tls(Side side) { add(Step::What::start_tls, side, {}); }
  void close(Side side) { add(Step::What::close, side, {}); }
  void identified(Bytes address) { add(Step::What::identified, Side::client, address); }
  void resumed(Bytes key) { add(Step::What::resumed, Side::client, key); }
  void session_key(Bytes key) { add(Step::What::session_key, Side::client, key); }

  std::span<Step> steps() { return std::span{steps_}.first(used_); }
  bool empty() const { return used_ == 0; }
  // Nothing but octets to send: a driver may then do the steps of several releases in one go.
  bool only_sends() const { return only_sends_; }
  // The steps' memory is kept for the next ones, unless one of them was large.
  void clear() {
    for (Step& step : steps())
      if (step.octets.capacity() > kKeptMax) Buffer().swap(step.octets);
    used_ = 0;
    only_sends_ = true;
  }

 private:
  static constexpr std::size_t kKeptMax = 64U << 10;  // octets of one step

  void add(Step::What what, Side side, Bytes octets) {
    if (used_ == steps_.size()) steps_.emplace_back();
    Step& step = steps_[used_++];
    step.what = what;
    step.side = side;
    step.octets.assign(octets);
    only_sends_ = only_sends_ && what == Step::What::send;
  }

  std::vector<Step> steps_;  // the first `used_` are meant
  std::size_t used_ = 0;
  bool only_sends_ = true;
};

// A stream chunk may end anywhere; a datagram is a whole.
enum class Boundary : std::uint8_t { stream, datagram };

// Bounds on what one peer may make us hold. A peer that goes over gets the protocol's own error and a record.
struct Limits {
  std::uint32_t unit_size_max = 262'144;  // octets of one stanza or (with tags) one line
  std::uint32_t depth_max = 64;           // nested elements
  std::uint32_t attributes_max = 64;      // in one element
  std::uint32_t targets_max = 64;         // receivers named in one unit
  std::uint32_t members_max = 10'000;     // members tracked in one room
  std::uint32_t rooms_max = 1'000;        // rooms tracked in one session
  std::uint32_t unacked_max = 10'000;     // XEP-0198: positions remembered until acknowledged
  bool operator==(const Limits&) const = default;
};

// Memory that outlives one connection, shared by all codecs of one listener (XEP-0198 positions of sessions that may
// resume). Each codec folder derives its own; the driver only keeps it alive. Used from one thread.
class Shared {
 public:
  virtual ~Shared() = default;
};

// How the connection begins.
struct Start {
  enum class Mode : std::uint8_t { fresh, midstream };  // midstream: the sensor joined late
  enum class Tls : std::uint8_t { none, starttls, direct };
  Mode mode = Mode::fresh;
  Tls client_tls = Tls::none;    // what the listener offers; `direct` = already up before the first feed
  Tls server_tls = Tls::none;    // what the route demands; `direct` = already up before the first feed
  std::string client_host;       // the name this listener goes by; used in errors before the client has said one
  std::string nonce;             // 32 hex digits of the driver's randomness, for ids the codec must invent
  bool passive = false;          // sensor and replay: `release` is never called; state follows what was fed
  bool record_presence = false;  // emit Kind::presence events
  Shared* shared = nullptr;      // what Protocol::make_shared made; may be null (then resumption is refused)
};

// Why a codec ended the stream: `malformed`, `too_large`, `too_deep`, … (category "codec").
enum class CodecError {
  malformed = 1,  // not the protocol's syntax
  restricted,     // legal in general, forbidden here: DTD, processing instruction, entity declaration
  not_utf8,
  too_large,     // Limits::unit_size_max
  too_deep,      // Limits::depth_max
  too_many,      // attributes, targets, members, unacked
  out_of_order,  // legal syntax at the wrong time
  after_end,     // octets after the stream's own end
};
std::error_code make_error_code(CodecError error);

class Codec {
 public:
  virtual ~Codec() = default;

  // Decode half. Appends complete units to `out`. Chunking never matters. Units found before an error are valid and
  // come first; an error is sticky: the side that caused it yields nothing more. `now` is the socket's or the
  // packet's time.
  virtual std::error_code feed(Side from, Bytes in, Instant now, Boundary boundary, std::vector<Unit>& out) = 0;

  // The sensor lost `lost_bytes` octets (0 = unknown). Resynchronise at the next unit, or go Opaque.
  virtual void gap(Side from, std::uint64_t lost_bytes) = 0;

  // The peer closed its half. A unit cut short is an error (malformed), not an event.
  virtual std::error_code finish(Side from, std::vector<Unit>& out) = 0;

  // Forward half. `decisions[i]` belongs to `unit.events[i]`. Called once for each unit, for each side in the order
  // of `feed`. A unit whose events are all forwarded leaves byte-identical but for the protocol's closed list.
  // A refused event reaches nobody, and its sender is told; a redacted one leaves with its masks applied in every
  // copy, and a copy that cannot be masked is removed.
  virtual void release(Unit&& unit, std::span<const Decision> decisions, Outbox& out) = 0;

  // Octets that the gateway itself must send first (nothing was fed): e.g. an upstream STARTTLS opening.
  virtual void start(Outbox& /*out*/) {}

  // Say `text` to `to` as the gateway, in the conversation `about` belongs to (a notice; the network itself when
  // about is null). False: this protocol, or its present state, cannot.
  virtual bool inject(Side to, std::string_view text, const Event* about, Outbox& out) = 0;

  // The stream broke on `from`'s side with `error` (from `feed`), or the upstream is gone (`upstream_lost`), or the
  // gateway shuts down (`shutdown`), or recording failed (`not_recorded`), or the session was idle (`idle`), or the
  // connection limit was reached (`overloaded`): write the protocol's own goodbye to the sides that can still hear
  // it, and close them.
  enum class Ending : std::uint8_t {
    peer_error,
    upstream_lost,
    upstream_unreachable,
    shutdown,
    not_recorded,
    idle,
    overloaded
  };
  virtual void end(Ending why, std::error_code error, Outbox& out) = 0;

  // Of a unit that was read with `takes_over`: the key (Step::session_key) of the session that it wants to go on with,
  // when that is known and belongs to who asks; else empty. The driver ends the connection that still has it and holds
  // the unit back until the upstream has closed that one too, and so has handled all that it brought.
  virtual std::string resumes() const { return {}; }

  // Time-outs that are the protocol's own. The driver calls `expire` at or after `deadline`.
  virtual std::optional<Instant> deadline() const { return std::nullopt; }
  virtual void expire(Instant /*now*/, Outbox& /*out*/) {}

  // Octets this codec holds (buffers and tables), for the gateway's accounting. An estimate.
  virtual std::size_t memory() const = 0;
};

enum class Likeness : std::uint8_t { no, need_more, yes };

// One constant per codec folder. The registry (codec/registry.h) lists them.
struct Protocol {
  std::string_view name;                                // "xmpp", "irc"
  std::span<const std::uint16_t> ports;                 // usual ports; a hint for defaults, never evidence
  Likeness (*probe)(Side from, Bytes start_or_middle);  // for the sensor
  std::unique_ptr<Codec> (*make)(const Limits& limits, const Start& start);
  std::unique_ptr<Shared> (*make_shared)(const Limits& limits);  // may return null
  bool starttls;                                                 // Start::Tls::starttls is possible
};

}  // namespace chancery

template <>
struct std::is_error_code_enum<chancery::CodecError> : std::true_type {};
