#pragma once
// One direction of a TCP connection, put in order (RFC 9293 §3.10.7.4, as an onlooker).
//
//   out of order  held until what is missing comes
//   overlap       the octets that came first count, whether delivered or held; later ones that differ are counted
//   gap           octets that the receiver acknowledged, or that nobody sent again for long, were not captured: their
//                 number is told and the stream goes on behind them
//   no begin      joined in the middle: a few packets are awaited first, since the first seen need not be the first
//   sent
//
// Neither checksums nor urgent data nor time stamps (PAWS) are looked at. A segment beyond what the receiver
// acknowledges is never believed as long as acknowledgements are seen: so a forged one cannot move the stream.
#include <cstdint>

#include "core/bytes.h"
#include "core/time.h"
#include "sensor/flow/segment_pool.h"
#include "sensor/packet/skip.h"

namespace chancery::sensor {

class StreamOutput {
 public:
  virtual void octets(Bytes octets, Instant time) = 0;  // in order; time of the packet that made them readable
  virtual void lost(std::uint32_t count) = 0;           // a gap of so many octets before what comes next
  virtual void finished() = 0;                          // all octets before the FIN were delivered or lost

 protected:
  ~StreamOutput() = default;
};

struct StreamContext {
  SegmentPool& pool;
  SkipCounts& skipped;
  StreamOutput& out;
  Instant now;
};

struct StreamSegment {
  std::uint32_t sequence = 0;  // of the first octet
  Bytes octets;
  std::uint32_t missing = 0;  // octets behind those that the capture cut off
  bool fin = false;
};

class Stream {
 public:
  static constexpr std::uint32_t kAheadMax = 64U << 20U;  // octets ahead of the expected one: more is no segment of it
  static constexpr std::uint16_t kHeldMax = 192;          // blocks held for one direction
  static constexpr std::uint8_t kJoinPackets = 3;         // of the connection, before a stream without begin starts
  static constexpr std::uint8_t kGapPackets = 6;          // of the connection, after the acknowledgement of a hole
  static constexpr std::uint8_t kPatience = 100;          // of the connection, without any acknowledgement
  static constexpr Duration kJoinTime = std::chrono::milliseconds{200};
  static constexpr Duration kGapTime = std::chrono::seconds{3};

  // A SYN was seen: `next` is the sequence number of the first octet.
  void open(std::uint32_t next, StreamContext context);
  void segment(const StreamSegment& segment, StreamContext context);
  // The other side acknowledges all before `number`.
  void acknowledged(std::uint32_t number) {
    if (!ack_seen_ || static_cast<std::int32_t>(number - acked_) > 0) acked_ = number;
    ack_seen_ = true;
  }
  // After each packet of the connection, either direction: decides whether what is missing is lost.
  void tick(StreamContext context) {
    if (held_ != SegmentPool::kNone) wait(context);
  }
  // The connection is over: what is held is delivered behind gaps.
  void flush(StreamContext context);
  void drop(SegmentPool& pool);  // gives back what is held

  bool begun() const { return state_ != State::unset; }
  bool finished() const { return finished_; }
  std::uint32_t next() const { return next_; }
  bool expects(std::uint32_t sequence) const {  // plausible for a RST
    const auto ahead = static_cast<std::int32_t>(sequence - next_);
    return begun() && ahead >= -1 && ahead <= 65'535 * 4;
  }

 private:
  enum class State : std::uint8_t { unset, joining, open };

  void wait(StreamContext context);
  void join(StreamContext& context);
  void deliver(Bytes octets, std::uint32_t missing, Instant time, StreamContext& context);
  void drain(Instant not_before, StreamContext& context);
  void skip_to_held(StreamContext& context);
  void drop_first(SegmentPool& pool);
  void hold(std::uint32_t sequence, Bytes octets, StreamContext& context);
  void check_finished(StreamContext& context);

  std::uint32_t next_ = 0;
  std::uint32_t acked_ = 0;
  std::uint32_t fin_ = 0;
  std::uint32_t held_ = SegmentPool::kNone;
  std::uint16_t held_count_ = 0;
  std::uint8_t waited_ = 0;
  State state_ = State::unset;
  bool ack_seen_ = false;
  bool fin_seen_ = false;
  bool finished_ = false;
};

}  // namespace chancery::sensor
