#pragma once
// What codecs share whose protocol is read but not yet spoken by the gateway: framing of both sides, resynchronisation,
// and a forward half that changes nothing. A protocol's codec derives from it and says what a frame means.
//
// `release` passes a unit on as it came. A decision that would change or stop one cannot be carried out, since the
// numbers in the frames would no longer match: then nothing more is passed and both sides are closed. A listener cannot
// be configured for such a protocol (registry.h).
#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "codec/codec.h"
#include "codec/wire/frames.h"

namespace chancery {

class WatchedCodec : public Codec {
 public:
  WatchedCodec(const Framing& framing, const Limits& limits, const Start& start);

  std::error_code feed(Side from, Bytes in, Instant now, Boundary boundary, std::vector<Unit>& out) final;
  void gap(Side from, std::uint64_t lost_bytes) final;
  std::error_code finish(Side from, std::vector<Unit>& out) final;
  void release(Unit&& unit, std::span<const Decision> decisions, Outbox& out) final;
  bool inject(Side to, std::string_view text, const Event* about, Outbox& out) final;
  void end(Ending why, std::error_code error, Outbox& out) final;
  std::size_t memory() const final;

 protected:
  // `unit.wire` is one whole frame (or one datagram): fill in events and secrets. Octets of which nothing can be said
  // do not come here.
  virtual void read(Unit& unit, Instant now) = 0;
  // Octets of `from` went missing: what spans several frames is not complete any more.
  virtual void forget(Side /*from*/) {}
  virtual std::size_t state_memory() const = 0;

  const Limits& limits() const { return limits_; }
  bool midstream() const { return midstream_; }

 private:
  Limits limits_;
  bool midstream_;
  bool closed_ = false;
  std::array<FrameReader, 2> sides_;
};

// Where `part` stands in `wire`, which it must be a piece of.
std::uint32_t place_in(Bytes wire, Bytes part);
// A text whose decoded form is `text` and whose octets in the wire are `source`, a piece of `unit.wire`.
TextPart text_part(const Unit& unit, Bytes source, std::string text, TextPart::Role role = TextPart::Role::body);
// `octets`, a piece of `unit.wire`, are never to be stored. Keeps the list sorted; nothing for no octets.
void add_secret(Unit& unit, Bytes octets, std::string_view what);
// The octets of `unit` that may be recorded: secrets as asterisks.
Buffer without_secrets(const Unit& unit);

}  // namespace chancery
