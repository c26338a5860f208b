#pragma once
// Ending a TCP connection from beside it (RFC 9293 §3.10.7.4, RFC 5961 §3.2), and telling a UDP sender that nobody
// listens. Pure: what to send, not the sending.
//
// A reset counts only at exactly RCV.NXT of its receiver; anywhere else in the window it gets a challenge ACK, which
// carries the right number. So: one shot at the number that was last seen, some at where the next data would move it
// to (the race against a busy peer), to both ends; and again when a later segment moves a number. An idle connection
// sends no later segment, and what is on its way while the verdict falls makes the first shots stale: so the newest
// numbers are tried again by the clock.
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/bytes.h"
#include "core/time.h"
#include "event/event.h"
#include "sensor/packet/endpoint.h"

namespace chancery::sensor {

// What is used of each TCP segment of a connection that is to end.
struct Segment {
  Side from = Side::client;
  std::uint32_t seq = 0, ack = 0;
  std::uint32_t length = 0;  // payload octets; SYN and FIN count one each
  bool has_ack = false, rst = false;
  Instant time;
};

// One reset: as if the other side had sent it.
struct Shot {
  Side to = Side::client;
  std::uint32_t seq = 0, ack = 0;
  bool step = false;   // at where data that was not seen yet would move the number
  bool again = false;  // was sent before
};

// One connection that is to end.
class TcpReset {
 public:
  static constexpr unsigned kVolleysMax = 12;
  static constexpr std::array<Duration, 3> kPauses{Duration{30'000'000}, Duration{150'000'000},
                                                   Duration{600'000'000}};  // before each repetition of a volley
  static constexpr Duration kHeldPause{50'000'000};  // before what was held back is tried again; doubles up to
  static constexpr Duration kHeldPauseMax{2'000'000'000};
  static constexpr Duration kSilence{3'000'000'000};  // no data for so long after a volley: it is over

  enum class Outcome : std::uint8_t {
    open,    // still trying, or waiting to see
    ended,   // an end answered with a reset of its own, or neither sent data any more
    failed,  // data still flowed after the last volley and its repetitions
  };

  // A segment of the connection, ours not among them if they come back over the mirror: they are known and left out.
  // Call it for every segment since the connection was known, at least for the last one of each side.
  void observe(const Segment& segment);

  // What to send now; empty when nothing more would help, or when the numbers are those that were tried already. Call
  // it when the verdict falls and after each `observe` then.
  std::vector<Shot> volley() const;
  // What to send once more, from `next_try` on: the newest numbers, no steps.
  std::vector<Shot> repetition(Instant now);
  std::optional<Instant> next_try() const { return next_try_; }

  // Which shots of a volley or a repetition, if it had any, were sent. None: it was held back, does not count as a try,
  // and is tried again by the clock.
  void fired(std::span<const Shot> sent, Instant now);

  Outcome outcome(Instant now) const;
  unsigned volleys() const { return volleys_; }

 private:
  struct End {
    bool known = false;
    std::uint32_t next = 0;         // behind the last octet it sent
    std::uint32_t last_length = 0;  // of its last segment with data
    bool acked = false;
    std::uint32_t expects = 0;  // the newest acknowledgement it sent: its RCV.NXT then
    bool gone = false;          // it answered with a reset
  };
  static constexpr std::size_t kFiredMax = 16;

  End& end(Side side) { return ends_[side == Side::client ? 0 : 1]; }
  const End& end(Side side) const { return ends_[side == Side::client ? 0 : 1]; }
  bool was_fired(Side to, std::uint32_t seq, bool steps_too) const;
  void aim(Side to, bool again, std::vector<Shot>& shots) const;

  std::array<End, 2> ends_;
  std::array<Shot, kFiredMax> fired_{};  // the newest ones
  std::size_t fired_count_ = 0;
  unsigned volleys_ = 0;
  std::size_t repetitions_ = 0;  // of the last volley
  bool answered_ = false;
  bool data_since_volley_ = false;
  Instant last_volley_, last_data_;
  std::optional<Instant> next_try_;
  Duration held_pause_ = kHeldPause;
};

// A whole IP packet with a TCP reset in it, sums computed. Both ends of one family.
Buffer reset_packet(const Endpoint& from, const Endpoint& to, std::uint32_t seq, std::uint32_t ack);

// ICMP "administratively prohibited" for a UDP datagram (RFC 792, 1812 §5.2.7.1; RFC 4443 §3.1), as if its receiver's
// host had sent it. `ip_packet` begins with its IP header; empty when it is too short to quote.
Buffer unreachable_packet(Bytes ip_packet);

// How many resets may go out: `burst` at once, `per_second` in the long run. With `spare`, only while so many would be
// left for what matters more.
class RateLimit {
 public:
  RateLimit(double per_second, double burst) : per_second_(per_second), burst_(burst), tokens_(burst) {}
  bool take(Instant now, double spare = 0);
  double burst() const { return burst_; }

 private:
  double per_second_, burst_, tokens_;
  Instant last_{};
};

}  // namespace chancery::sensor
