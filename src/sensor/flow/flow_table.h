#pragma once
// All flows at once: which one a packet belongs to, what it adds, when it ends. Bounded by `FlowLimits`: a flow is put
// out when it was idle for long, or, where there are too many, the one idle longest (short-lived kinds first). Nothing
// is allocated for a packet, only for a flow. Used from one thread; time is the packets' own.
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "sensor/flow/flow.h"
#include "sensor/flow/segment_pool.h"
#include "sensor/packet/packet.h"
#include "sensor/packet/skip.h"

namespace chancery::sensor {

struct FlowLimits {
  std::uint32_t flows_max = 262'144;
  std::uint32_t undecided_max = 16'384;  // flows whose beginning is kept; beyond it the next ones get no chance to wait
  std::size_t undecided_bytes_max = 64U << 20U;      // octets kept of all of them
  std::size_t segments_max = 8'192;                  // blocks of SegmentPool (2 KiB each) held out of order
  Duration opening_idle = std::chrono::seconds{30};  // a SYN that nobody answered
  Duration closing_idle = std::chrono::seconds{15};  // after FINs or RST
  Duration udp_idle = std::chrono::minutes{1};
  Duration tcp_idle = std::chrono::minutes{30};
  std::uint64_t seed = 0;  // keys the hash, so that nobody can aim at one place of the table
};

// What becomes of flows. Called by the table; what is given is the table's own.
class FlowSink {
 public:
  virtual ~FlowSink() = default;
  virtual void packet(const Flow& /*flow*/, const Packet& /*packet*/, Side /*from*/) {}  // counted already
  // `flow` was named and has its FlowName but for its `application`, which this sets. Null: it is not read.
  virtual std::unique_ptr<FlowReader> named(Flow& flow, const Named& named) = 0;
  virtual void ended(const Flow& flow) = 0;
};

class FlowTable {
 public:
  // `classifier` may be null: then flows are only counted. All are borrowed.
  FlowTable(const FlowLimits& limits, Classifier* classifier, FlowSink& sink, SkipCounts& skipped);
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  void packet(const Packet& packet);
  void tick(Instant now);  // live: time goes on although nothing comes
  void finish();           // ends all flows, the one idle longest first

  std::size_t size() const { return count_; }
  std::size_t memory() const;  // an estimate

 private:
  enum Queue : std::uint8_t { kOpening, kClosing, kUdp, kTcp, kQueues };
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t flow = kNone;
  };
  struct List {
    std::uint32_t oldest = kNone, newest = kNone;
  };
  class Output;

  Flow& at(std::uint32_t index) { return chunks_[index / kChunk][index % kChunk]; }
  std::uint32_t find(const Packet& packet, std::uint32_t tag) const;
  std::uint32_t add(const Packet& packet, std::uint32_t tag);
  std::uint32_t take_flow();
  void insert_slot(std::uint32_t tag, std::uint32_t flow);
  void erase_slot(std::uint32_t tag, std::uint32_t flow);
  void grow_slots();
  void link(std::uint32_t index, Queue queue);
  void unlink(std::uint32_t index);
  void touch(std::uint32_t index, Queue queue);
  void end(std::uint32_t index);
  void advance(Instant time);
  void expire();
  void make_room();

  void count(Flow& flow, const Packet& packet, Side from);
  void tcp(Flow& flow, const Packet& packet, Side from);
  void udp(Flow& flow, const Packet& packet, Side from);
  void feed(Flow& flow, Side from, Bytes octets, Instant time);
  bool follows(const Flow& flow) const { return flow.beginning != nullptr || flow.reader != nullptr; }
  void look(Flow& flow, const Packet* packet, Side from);
  void classify(Flow& flow, bool last_chance);
  void decide(Flow& flow, Named* named);
  void stop_following(Flow& flow);
  Queue queue_of(const Flow& flow) const;

  static constexpr std::uint32_t kChunk = 256;

  const FlowLimits limits_;
  Classifier* const classifier_;
  FlowSink& sink_;
  SkipCounts& skipped_;
  BeginningPool beginnings_;  // before the flows, which give theirs back
  SegmentPool segments_;
  std::vector<std::unique_ptr<Flow[]>> chunks_;
  std::vector<std::uint32_t> free_;
  std::vector<Slot> slots_;  // open addressing, linear probing; a power of two
  std::size_t count_ = 0;
  std::array<List, kQueues> lists_;
  std::size_t kept_bytes_ = 0;  // of all beginnings
  Instant next_expiry_ = Instant::min();
  Instant clock_ = Instant::min();  // the newest time that was believed
  Instant leap_ = Instant::min();   // a time far ahead, believed when a second one comes near it
};

}  // namespace chancery::sensor
