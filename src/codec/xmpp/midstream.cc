// Joining a stream whose begin was not seen, or of which octets were lost: for the sensor.
#include <algorithm>
#include <array>

#include "codec/xmpp/xmpp_codec.h"

namespace chancery::xmpp {
namespace {

// What the stream's opening tag would have declared (RFC 6120 §4.8).
constexpr Bytes kAssumedHeader =
    "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>";

// A tag found in mid-stream may be of a stanza inside another one (a carbon copy, an archive's answer), whose end then
// does not fit. So many pieces must follow in good order before an error counts as one.
constexpr std::uint8_t kPiecesToProve = 8;

constexpr std::array<Bytes, 4> kTags{"<message", "<presence", "<iq", "<stream:stream"};
constexpr Bytes kBehindName = " \t\r\n/>";

bool is_tag(Bytes candidate) {
  if (candidate.empty() || kBehindName.find(candidate.back()) == Bytes::npos) return false;
  candidate.remove_suffix(1);
  return std::ranges::find(kTags, candidate) != kTags.end();
}

bool may_become_tag(Bytes candidate) {
  return std::ranges::any_of(kTags, [&](Bytes tag) { return tag.starts_with(candidate); }) || is_tag(candidate);
}

}  // namespace

// One octet at a time, so that where an error shows does not depend on how the stream was cut.
std::error_code XmppCodec::feed_joining(Side from, Bytes in, std::vector<Unit>& out) {
  Leg& leg = this->leg(from);
  for (; !in.empty(); in.remove_prefix(1)) {
    if (leg.phase == Phase::lost || leg.phase == Phase::closed) return {};
    if (leg.phase != Phase::resync && leg.unproven == 0) return leg.error = scan(from, in, out);
    const std::size_t before = out.size();
    const std::error_code error =
        leg.phase == Phase::resync ? seek(from, in.front(), out) : scan(from, in.substr(0, 1), out);
    if (error) {
      leg.phase = Phase::resync;
      leg.search.clear();
      (void)seek(from, in.front(), out);
    } else {
      leg.unproven = static_cast<std::uint8_t>(leg.unproven - std::min<std::size_t>(leg.unproven, out.size() - before));
    }
  }
  return {};
}

std::error_code XmppCodec::seek(Side from, char octet, std::vector<Unit>& out) {
  Leg& leg = this->leg(from);
  leg.search.push_back(octet);
  while (!leg.search.empty() && !may_become_tag(leg.search)) leg.search.erase(0, 1);
  if (!is_tag(leg.search)) return {};
  leg.scanner.discard_and_restart();
  leg.unproven = kPiecesToProve;
  leg.phase = Phase::header;
  if (!leg.search.starts_with("<stream")) {
    leg.scanner.feed(kAssumedHeader);
    (void)leg.scanner.next();
    leg.phase = Phase::open;
  }
  const Buffer begun = std::move(leg.search);
  leg.search.clear();
  return scan(from, begun, out);
}

}  // namespace chancery::xmpp
