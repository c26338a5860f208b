#pragma once
// Ending a TCP connection from beside it (RFC 9293 §3.10.7.4, RFC 5961 §3.2), and telling a UDP sender that nobody
// listens. Pure: what to send, not the sending.
//
// A reset counts only at exactly RCV.NXT of its receiver; anywhere else in the window it gets a challenge ACK, which
// carries the right number. So: one shot at the number that was last seen, some at where the next data would move it
// to (the race against a busy peer), to both ends; and again on each later segment, until the connection is silent or
// the tries are used up.
#include <array>
#include <cstdint>
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
};

// One connection that is to end.
class TcpReset {
 public:
  static constexpr unsigned kVolleysMax = 12;
  static constexpr unsigned kStepsMax = 3;            // numbers tried at one end in one volley
  static constexpr Duration kSilence{3'000'000'000};  // no data for so long after a volley: it is over

  enum class Outcome : std::uint8_t {
    open,    // still trying, or waiting to see
    ended,   // an end answered with a reset of its own, or neither sent data any more
    failed,  // data still flowed after the last volley
  };

  // A segment of the connection, ours not among them if they come back over the mirror: they are known and left out.
  // Call it for every segment since the connection was known, at least for the last one of each side.
  void observe(const Segment& segment);

  // What to send now; empty when nothing more will help. Call it when the verdict falls and after each `observe` then.
  std::vector<Shot> volley(Instant now);

  Outcome outcome(Instant now) const;
  unsigned volleys() const { return volleys_; }

 private:
  struct End {
    bool known = false;
    std::uint32_t next = 0;         // behind the last octet it sent
    std::uint32_t last_length = 0;  // of its last segment with data
    bool acked = false;
    std::uint32_t expects = 0;  // the newest acknowledgement it sent: its RCV.NXT then
  };
  End& end(Side side) { return ends_[side == Side::client ? 0 : 1]; }
  bool is_ours(const Segment& segment) const;
  void aim(Side to, std::vector<Shot>& shots);

  std::array<End, 2> ends_;
  std::array<Shot, std::size_t{4} * kStepsMax> fired_{};  // the newest ones
  std::size_t fired_count_ = 0;
  unsigned volleys_ = 0;
  bool answered_ = false;
  bool data_since_volley_ = false;
  Instant last_volley_, last_data_;
};

// A whole IP packet with a TCP reset in it, sums computed. Both ends of one family.
Buffer reset_packet(const Endpoint& from, const Endpoint& to, std::uint32_t seq, std::uint32_t ack);

// ICMP "administratively prohibited" for a UDP datagram (RFC 792, 1812 §5.2.7.1; RFC 4443 §3.1), as if its receiver's
// host had sent it. `ip_packet` begins with its IP header; empty when it is too short to quote.
Buffer unreachable_packet(Bytes ip_packet);

// How many resets may go out: `burst` at once, `per_second` in the long run.
class RateLimit {
 public:
  RateLimit(double per_second, double burst) : per_second_(per_second), burst_(burst), tokens_(burst) {}
  bool take(Instant now);

 private:
  double per_second_, burst_, tokens_;
  Instant last_{};
};

}  // namespace chancery::sensor
