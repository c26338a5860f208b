#include "sensor/enforce/reset.h"

#include <algorithm>

namespace chancery::sensor {
namespace {

constexpr std::size_t kTcpHeader = 20;
constexpr std::uint8_t kFlagsRstAck = 0x14;
constexpr std::uint8_t kProtocolTcp = 6, kProtocolIcmp = 1, kProtocolIcmp6 = 58, kProtocolUdp = 17;
constexpr std::uint8_t kHops = 64;
constexpr std::size_t kQuoted6Max = 1'232;  // an ICMPv6 error stays within 1,280 octets (RFC 4443 §2.4 c)

bool before(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) < 0; }

void put16(Buffer& out, std::uint32_t value) {
  out += static_cast<char>(value >> 8U & 0xffU);
  out += static_cast<char>(value & 0xffU);
}
void put32(Buffer& out, std::uint32_t value) {
  put16(out, value >> 16U);
  put16(out, value & 0xffffU);
}
void set16(Buffer& out, std::size_t at, std::uint32_t value) {
  out[at] = static_cast<char>(value >> 8U & 0xffU);
  out[at + 1] = static_cast<char>(value & 0xffU);
}
std::uint32_t octet(Bytes octets, std::size_t at) { return static_cast<unsigned char>(octets[at]); }

// RFC 1071, unfolded.
std::uint32_t add_words(Bytes octets, std::uint32_t sum) {
  for (std::size_t i = 0; i + 1 < octets.size(); i += 2) sum += octet(octets, i) << 8U | octet(octets, i + 1);
  if (octets.size() % 2 != 0) sum += octet(octets, octets.size() - 1) << 8U;
  return sum;
}
std::uint32_t fold(std::uint32_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  return ~sum & 0xffffU;
}
std::uint32_t checksum(Bytes from, Bytes to, std::uint8_t protocol, Bytes segment) {
  std::uint32_t sum = add_words(from, 0);
  sum = add_words(to, sum);
  return fold(add_words(segment, sum + protocol + static_cast<std::uint32_t>(segment.size())));
}

Buffer ip_header(Bytes from, Bytes to, std::uint8_t protocol, std::size_t payload) {
  Buffer out;
  if (from.size() == 4) {
    out += '\x45';
    out += '\0';
    put16(out, static_cast<std::uint32_t>(20 + payload));
    put16(out, 0);       // identification: the kernel fills it in
    put16(out, 0x4000);  // do not fragment
    out += static_cast<char>(kHops);
    out += static_cast<char>(protocol);
    put16(out, 0);
    out += from;
    out += to;
    set16(out, 10, fold(add_words(out, 0)));
    return out;
  }
  put32(out, 0x60000000);
  put16(out, static_cast<std::uint32_t>(payload));
  out += static_cast<char>(protocol);
  out += static_cast<char>(kHops);
  out += from;
  out += to;
  return out;
}

Buffer unreachable4(Bytes packet) {
  const std::size_t header = std::size_t{octet(packet, 0) & 0xfU} * 4;
  if (header < 20 || packet.size() < header + 8 || octet(packet, 9) != kProtocolUdp) return {};
  Buffer icmp;
  put32(icmp, 0x030d0000);  // destination unreachable, communication administratively prohibited
  put32(icmp, 0);
  icmp += packet.substr(0, header + 8);
  set16(icmp, 2, fold(add_words(icmp, 0)));
  return ip_header(packet.substr(16, 4), packet.substr(12, 4), kProtocolIcmp, icmp.size()) + icmp;
}

Buffer unreachable6(Bytes packet) {
  if (packet.size() < 48) return {};
  const Bytes from = packet.substr(24, 16), to = packet.substr(8, 16);
  Buffer icmp;
  put32(icmp, 0x01010000);  // destination unreachable, communication administratively prohibited
  put32(icmp, 0);
  icmp += packet.substr(0, std::min(packet.size(), kQuoted6Max));
  set16(icmp, 2, checksum(from, to, kProtocolIcmp6, icmp));
  return ip_header(from, to, kProtocolIcmp6, icmp.size()) + icmp;
}

}  // namespace

bool TcpReset::was_fired(Side to, std::uint32_t seq, bool steps_too) const {
  const std::size_t count = std::min(fired_count_, fired_.size());
  return std::any_of(fired_.begin(), fired_.begin() + static_cast<std::ptrdiff_t>(count),
                     [&](const Shot& shot) { return shot.to == to && shot.seq == seq && (steps_too || !shot.step); });
}

void TcpReset::observe(const Segment& segment) {
  End& from = end(segment.from);
  if (segment.rst) {
    // Ours acknowledge; a host that knows no such connection answers without (RFC 9293 §3.10.7.1).
    if (segment.has_ack && was_fired(other(segment.from), segment.seq, true)) return;
    from.gone = answered_ = true;
    return;
  }
  from.gone = false;
  const std::uint32_t next = segment.seq + segment.length;
  if (!from.known || before(from.next, next)) from.next = next;
  from.known = true;
  if (segment.has_ack && (!from.acked || before(from.expects, segment.ack))) {
    from.expects = segment.ack;
    from.acked = true;
  }
  if (segment.length == 0) return;
  from.last_length = segment.length;
  last_data_ = segment.time;
  if (volleys_ > 0) data_since_volley_ = true;
}

// At `to`, the number it expects next: what it last acknowledged, and what its peer has sent since, which may have been
// lost or not have arrived yet.
void TcpReset::aim(Side to, bool again, std::vector<Shot>& shots) const {
  const End& target = end(to);
  const End& peer = end(other(to));
  if (target.gone || (!target.acked && !peer.known)) return;
  const auto shoot = [&](std::uint32_t seq, bool step) {
    const bool fired = was_fired(to, seq, step);
    if (again || !fired) shots.push_back({to, seq, target.known ? target.next : 0, step, fired});
  };
  const bool behind = target.acked && peer.known && before(target.expects, peer.next);
  const std::uint32_t next = peer.known && (behind || !target.acked) ? peer.next : target.expects;
  const bool moved = !was_fired(to, next, false);
  shoot(next, false);
  if (behind) shoot(target.expects, false);
  if (peer.last_length > 0 && moved && !again) shoot(next + peer.last_length, true);
}

std::vector<Shot> TcpReset::volley() const {
  std::vector<Shot> shots;
  if (volleys_ == kVolleysMax) return shots;
  aim(Side::client, false, shots);
  aim(Side::server, false, shots);
  return shots;
}

std::vector<Shot> TcpReset::repetition(Instant now) {
  std::vector<Shot> shots;
  if (!next_try_ || now < *next_try_) return shots;
  aim(Side::client, true, shots);
  aim(Side::server, true, shots);
  if (shots.empty()) next_try_.reset();
  return shots;
}

void TcpReset::fired(std::span<const Shot> sent, Instant now) {
  if (sent.empty()) {
    next_try_ = now + held_pause_;
    held_pause_ = std::min(held_pause_ * 2, kHeldPauseMax);
    return;
  }
  held_pause_ = kHeldPause;
  const bool repeated = std::ranges::all_of(sent, &Shot::again);
  for (const Shot& shot : sent) fired_[fired_count_++ % fired_.size()] = shot;
  if (!repeated) {
    last_volley_ = now;
    data_since_volley_ = false;
  }
  if (!repeated && volleys_ < kVolleysMax) {
    ++volleys_;
    repetitions_ = 0;
  }
  next_try_.reset();
  if (repetitions_ < kPauses.size()) next_try_ = now + kPauses[repetitions_++];
}

TcpReset::Outcome TcpReset::outcome(Instant now) const {
  const bool trying = volleys_ > 0 && next_try_ && !(ends_[0].gone && ends_[1].gone);
  if (answered_) return trying ? Outcome::open : Outcome::ended;  // the other end may have missed it
  if (volleys_ == 0) return Outcome::open;
  if (volleys_ == kVolleysMax && data_since_volley_ && !next_try_) return Outcome::failed;
  const Instant quiet_since = std::max(last_volley_, last_data_);
  if (now - quiet_since < kSilence) return Outcome::open;
  return data_since_volley_ ? Outcome::failed : Outcome::ended;
}

Buffer reset_packet(const Endpoint& from, const Endpoint& to, std::uint32_t seq, std::uint32_t ack) {
  Buffer tcp;
  put16(tcp, from.port);
  put16(tcp, to.port);
  put32(tcp, seq);
  put32(tcp, ack);
  tcp += static_cast<char>(kTcpHeader / 4 << 4U);
  tcp += static_cast<char>(kFlagsRstAck);
  put16(tcp, 0);  // window
  put16(tcp, 0);  // checksum
  put16(tcp, 0);
  const Bytes source = from.address.wire(), target = to.address.wire();
  set16(tcp, 16, checksum(source, target, kProtocolTcp, tcp));
  return ip_header(source, target, kProtocolTcp, tcp.size()) + tcp;
}

Buffer unreachable_packet(Bytes ip_packet) {
  if (ip_packet.empty()) return {};
  if (octet(ip_packet, 0) >> 4U == 4) return ip_packet.size() < 28 ? Buffer{} : unreachable4(ip_packet);
  return octet(ip_packet, 0) >> 4U == 6 ? unreachable6(ip_packet) : Buffer{};
}

bool RateLimit::take(Instant now, double spare) {
  if (now > last_) {
    const double seconds = last_ == Instant{} ? 0 : std::chrono::duration<double>(now - last_).count();
    tokens_ = std::min(burst_, tokens_ + seconds * per_second_);
    last_ = now;
  }
  if (tokens_ < 1 + spare) return false;
  tokens_ -= 1;
  return true;
}

}  // namespace chancery::sensor
