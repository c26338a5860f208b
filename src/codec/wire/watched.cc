#include "codec/wire/watched.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace chancery {

WatchedCodec::WatchedCodec(const Framing& framing, const Limits& limits, const Start& start)
    : limits_(limits),
      midstream_(start.mode == Start::Mode::midstream),
      sides_{FrameReader{framing, Side::client, limits.unit_size_max, start.passive, midstream_},
             FrameReader{framing, Side::server, limits.unit_size_max, start.passive, midstream_}} {}

std::error_code WatchedCodec::feed(Side from, Bytes in, Instant now, Boundary boundary, std::vector<Unit>& out) {
  FrameReader& reader = sides_[static_cast<std::size_t>(from)];
  if (boundary == Boundary::datagram) {
    if (in.empty()) return {};
    Unit& unit = out.emplace_back();
    unit.from = from;
    unit.wire = in;
    if (in.size() <= limits_.unit_size_max) read(unit, now);
    return {};
  }
  for (;;) {
    Unit unit;
    unit.from = from;
    const FrameReader::Got got = reader.next(in, unit.wire);
    in = {};
    if (got == FrameReader::Got::nothing) return reader.error();
    if (got == FrameReader::Got::frame) read(unit, now);
    out.push_back(std::move(unit));
  }
}

void WatchedCodec::gap(Side from, std::uint64_t /*lost_bytes*/) {
  sides_[static_cast<std::size_t>(from)].lose();
  forget(from);
}

std::error_code WatchedCodec::finish(Side from, std::vector<Unit>& /*out*/) {
  const FrameReader& reader = sides_[static_cast<std::size_t>(from)];
  if (reader.error()) return reader.error();
  return reader.in_frame() ? make_error_code(CodecError::malformed) : std::error_code{};
}

void WatchedCodec::release(Unit&& unit, std::span<const Decision> decisions, Outbox& out) {
  if (closed_) return;
  const auto passes = [](const Decision& decision) {
    return decision.verdict == Verdict::forward || decision.verdict == Verdict::flag;
  };
  if (std::ranges::all_of(decisions, passes)) return out.send(other(unit.from), unit.wire);
  closed_ = true;
  out.close(Side::client);
  out.close(Side::server);
}

bool WatchedCodec::inject(Side /*to*/, std::string_view /*text*/, const Event* /*about*/, Outbox& /*out*/) {
  return false;
}

void WatchedCodec::end(Ending /*why*/, std::error_code /*error*/, Outbox& out) {
  if (closed_) return;
  closed_ = true;
  out.close(Side::client);
  out.close(Side::server);
}

std::size_t WatchedCodec::memory() const {
  return sizeof *this + sides_[0].memory() + sides_[1].memory() + state_memory();
}

std::uint32_t place_in(Bytes wire, Bytes part) { return static_cast<std::uint32_t>(part.data() - wire.data()); }

TextPart text_part(const Unit& unit, Bytes source, std::string text, TextPart::Role role) {
  TextPart part;
  part.role = role;
  part.text = std::move(text);
  if (part.text.empty() || source.empty()) return part;
  const std::uint32_t begin = place_in(unit.wire, source);
  part.segments.push_back(
      {0, static_cast<std::uint32_t>(part.text.size()), begin, begin + static_cast<std::uint32_t>(source.size())});
  return part;
}

void add_secret(Unit& unit, Bytes octets, std::string_view what) {
  if (octets.empty()) return;
  const std::uint32_t begin = place_in(unit.wire, octets);
  Secret secret{begin, begin + static_cast<std::uint32_t>(octets.size()), std::string{what}};
  // Never overlapping: where a hostile peer nests what should stand side by side, they become one.
  std::erase_if(unit.secrets, [&](const Secret& each) {
    if (each.wire_end <= secret.wire_begin || secret.wire_end <= each.wire_begin) return false;
    secret.wire_begin = std::min(secret.wire_begin, each.wire_begin);
    secret.wire_end = std::max(secret.wire_end, each.wire_end);
    return true;
  });
  const auto at = std::ranges::upper_bound(unit.secrets, secret.wire_begin, {}, &Secret::wire_begin);
  unit.secrets.insert(at, std::move(secret));
}

Buffer without_secrets(const Unit& unit) {
  Buffer masked = unit.wire;
  for (const Secret& secret : unit.secrets)
    std::fill(masked.begin() + secret.wire_begin, masked.begin() + secret.wire_end, '*');
  return masked;
}

}  // namespace chancery
