#include "codec/oscar/flap.h"

#include "codec/wire/octets.h"

namespace chancery::oscar {
namespace {

constexpr char kMark = '*';
constexpr std::size_t kSnacHeader = 10;
constexpr std::uint16_t kPrefixed = 0x8000;  // SNAC flag: a length and TLVs stand before the body
constexpr std::uint16_t kFamilyMax = 0x25;
constexpr std::uint16_t kAlert = 0x85;
constexpr std::uint16_t kSubtypeMax = 0x30;
constexpr Bytes kVersion{"\0\0\0\1", 4};

bool is_channel(char octet) { return octet >= 1 && octet <= 5; }

Measured measure(Side /*from*/, Bytes octets, std::size_t /*seen*/) {
  if (octets[0] != kMark || (octets.size() > 1 && !is_channel(octets[1]))) return Measured::wrong();
  if (octets.size() < kFlapHeader) return Measured::more(kFlapHeader);
  Octets header{octets.substr(4)};
  return Measured::frame(kFlapHeader + header.u16());
}

Likeness begins_snac(std::size_t size, Bytes payload) {
  if (size < kSnacHeader) return Likeness::no;
  if (payload.size() < kSnacHeader) return Likeness::need_more;
  Octets header{payload};
  const std::uint16_t family = header.u16();
  const std::uint16_t subtype = header.u16();
  const std::uint16_t flags = header.u16();
  const bool known = (family > 0 && family <= kFamilyMax) || family == kAlert;
  return known && subtype > 0 && subtype <= kSubtypeMax && (flags & ~(kPrefixed | 1U)) == 0 ? Likeness::yes
                                                                                            : Likeness::no;
}

// Only what cannot be anything else: a SNAC's header, or the version that opens a connection.
Likeness begins(Side /*from*/, Bytes octets) {
  if (octets[0] != kMark) return Likeness::no;
  if (octets.size() < 2) return Likeness::need_more;
  const auto channel = static_cast<Channel>(octets[1]);
  if (channel != Channel::sign_on && channel != Channel::data) return Likeness::no;
  if (octets.size() < kFlapHeader) return Likeness::need_more;
  Octets header{octets.substr(4)};
  const std::size_t size = header.u16();
  const Bytes payload = octets.substr(kFlapHeader);
  if (channel == Channel::data) return begins_snac(size, payload);
  if (size < kVersion.size() || !kVersion.starts_with(payload.substr(0, kVersion.size()))) return Likeness::no;
  return payload.size() < kVersion.size() ? Likeness::need_more : Likeness::yes;
}

// A sign-on frame alone may be TOC's; with TLVs behind the version it is a client's of OSCAR.
bool is_telling(Side from, Bytes frame) {
  if (channel_of(frame) == Channel::data) return true;
  Octets size{frame.substr(4)};
  return from == Side::client && size.u16() > kVersion.size() + 4;
}

}  // namespace

const Framing kFraming{measure, begins};

Channel channel_of(Bytes frame) { return static_cast<Channel>(frame[1]); }

Bytes payload_of(Bytes frame) { return frame.substr(kFlapHeader); }

std::optional<Snac> snac_of(Bytes payload) {
  Octets in{payload};
  Snac snac;
  snac.family = in.u16();
  snac.subtype = in.u16();
  const std::uint16_t flags = in.u16();
  in.u32();  // request id
  if ((flags & kPrefixed) != 0) in.skip(in.u16());
  if (!in.ok()) return std::nullopt;
  snac.body = in.rest();
  return snac;
}

Likeness probe(Side from, Bytes octets) {
  for (std::size_t at = 0; at < octets.size(); ++at) {
    const Likeness here = begins(from, octets.substr(at));
    if (here == Likeness::yes && is_telling(from, octets.substr(at))) return here;
    if (here == Likeness::need_more) break;
  }
  return octets.size() < kProbedMax ? Likeness::need_more : Likeness::no;
}

}  // namespace chancery::oscar
