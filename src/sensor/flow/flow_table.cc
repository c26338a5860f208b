#include "sensor/flow/flow_table.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace chancery::sensor {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kSlotsFirst = 4'096;
constexpr Duration kLeap = std::chrono::hours{24};
constexpr Duration kExpiryStep = std::chrono::milliseconds{250};
constexpr Duration kTouchStep = std::chrono::seconds{1};  // so much may the order of a list be wrong

std::size_t index(Side side) { return static_cast<std::size_t>(side); }

__extension__ using Wide = unsigned __int128;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

// The same for both directions: the two ends are hashed alone and added.
std::uint64_t hash_end(const Endpoint& end, std::uint64_t seed) {
  std::array<std::uint64_t, 2> halves{};
  std::memcpy(halves.data(), end.address.octets.data(), sizeof halves);
  return mix(halves[0] ^ seed, halves[1] ^ 0xa0761d6478bd642fULL ^ (std::uint64_t{end.port} << 47U)) +
         mix(end.port + seed, halves[1] ^ 0xe7037ed1a0b428dbULL);
}

std::uint32_t tag_of(const Packet& packet, std::uint64_t seed) {
  const std::uint64_t sum = hash_end(packet.source, seed) + hash_end(packet.destination, seed);
  return static_cast<std::uint32_t>(mix(sum, 0x8ebc6af09c88c6e3ULL + static_cast<std::uint64_t>(packet.transport)));
}

// Without a SYN: who is more likely to be the server? Only a start: the classifier may know better.
bool source_looks_like_server(const Packet& packet) {
  constexpr std::uint16_t kWellKnown = 1'024, kEphemeral = 32'768;
  const std::uint16_t source = packet.source.port, destination = packet.destination.port;
  if ((source < kWellKnown) != (destination < kWellKnown)) return source < kWellKnown;
  if (packet.transport == Transport::tcp && (source < kEphemeral) != (destination < kEphemeral))
    return source < kEphemeral;
  return false;
}

}  // namespace

// What a Stream puts out, for the flow it belongs to.
class FlowTable::Output final : public StreamOutput {
 public:
  Output(FlowTable& table, Flow& flow, Side side) : table_(table), flow_(flow), side_(side) {}

  void octets(Bytes octets, Instant time) override { table_.feed(flow_, side_, octets, time); }
  void lost(std::uint32_t count) override {
    if (flow_.reader)
      flow_.reader->lost(side_, count);
    else if (flow_.beginning)
      flow_.beginning->lost(side_, count);
  }
  void finished() override {
    if (flow_.reader)
      flow_.reader->finished(side_);
    else if (flow_.beginning)
      flow_.beginning->finished(side_);
  }

 private:
  FlowTable& table_;
  Flow& flow_;
  const Side side_;
};

FlowTable::FlowTable(const FlowLimits& limits, Classifier* classifier, FlowSink& sink, SkipCounts& skipped)
    : limits_(limits),
      classifier_(classifier),
      sink_(sink),
      skipped_(skipped),
      segments_(limits.segments_max),
      slots_(kSlotsFirst) {}

FlowTable::~FlowTable() = default;

void FlowTable::packet(const Packet& packet) {
  advance(packet.time);
  if (clock_ >= next_expiry_) expire();
  const std::uint32_t tag = tag_of(packet, limits_.seed);
  std::uint32_t index = find(packet, tag);
  // The same ports again: a SYN on a connection that is over begins a new one.
  if (index != kNone && packet.transport == Transport::tcp && packet.tcp.has(TcpHeader::kSyn) &&
      !packet.tcp.has(TcpHeader::kAck) && at(index).queue == kClosing) {
    end(index);
    index = kNone;
  }
  if (index == kNone) index = add(packet, tag);
  Flow& flow = at(index);
  const Side from = flow.ends[0] == packet.source ? Side::client : Side::server;
  count(flow, packet, from);
  sink_.packet(flow, packet, from);
  if (packet.transport == Transport::tcp)
    tcp(flow, packet, from);
  else
    udp(flow, packet, from);
  touch(index, queue_of(flow));
}

void FlowTable::count(Flow& flow, const Packet& packet, Side from) {
  Traffic& traffic = flow.traffic[sensor::index(from)];
  ++traffic.packets;
  traffic.bytes += packet.wire_length;
  traffic.payload += packet.payload.size() + packet.missing;
  flow.first = std::min(flow.first, packet.time);
  flow.last = std::max(flow.last, packet.time);
}

void FlowTable::tcp(Flow& flow, const Packet& packet, Side from) {
  const TcpHeader& header = packet.tcp;
  Stream& stream = flow.streams[index(from)];
  Stream& opposite = flow.streams[index(other(from))];
  Output output{*this, flow, from}, opposite_output{*this, flow, other(from)};
  const StreamContext context{segments_, skipped_, output, packet.time};
  const StreamContext opposite_context{segments_, skipped_, opposite_output, packet.time};
  if (header.has(TcpHeader::kSyn)) {
    stream.open(header.sequence + 1, context);
    if (header.has(TcpHeader::kAck)) opposite.open(header.acknowledgement, opposite_context);
    flow.midstream = false;
  }
  if (header.has(TcpHeader::kRst)) {
    // RFC 5961 §3.2: only a plausible one. What was sent before it may still come.
    flow.reset = flow.reset || !stream.begun() || stream.expects(header.sequence);
  }
  if (!follows(flow)) {
    if (header.has(TcpHeader::kFin)) flow.reset = flow.reset || flow.fin_seen[index(other(from))];
    flow.fin_seen[index(from)] = flow.fin_seen[index(from)] || header.has(TcpHeader::kFin);
    return;
  }
  if (header.has(TcpHeader::kAck)) opposite.acknowledged(header.acknowledgement);
  opposite.tick(opposite_context);  // first: what it holds came before this packet
  if (!header.has(TcpHeader::kRst)) {
    const std::uint32_t sequence = header.sequence + (header.has(TcpHeader::kSyn) ? 1 : 0);
    stream.segment({sequence, packet.payload, packet.missing, header.has(TcpHeader::kFin)}, context);
  }
  stream.tick(context);
  look(flow, &packet, from);
}

void FlowTable::udp(Flow& flow, const Packet& packet, Side from) {
  if (flow.watch) classifier_->watched(flow.ends[0], flow.ends[1], {from, packet.payload, packet.time});
  if (flow.reader) {
    if (!flow.reader->octets(from, packet.payload, packet.time)) stop_following(flow);
    return;
  }
  if (!flow.beginning) return;
  kept_bytes_ += flow.beginning->datagram(from, packet.payload, packet.time);
  look(flow, &packet, from);
}

void FlowTable::feed(Flow& flow, Side from, Bytes octets, Instant time) {
  if (flow.reader) {
    if (!flow.reader->octets(from, octets, time)) flow.reader_done = true;
  } else if (flow.beginning) {
    kept_bytes_ += flow.beginning->octets(from, octets, time);
  }
}

// Shows the packet to the classifier, and asks it where there is something new.
void FlowTable::look(Flow& flow, const Packet* packet, Side from) {
  if (flow.reader_done) stop_following(flow);
  if (!flow.beginning) return;
  Beginning& beginning = *flow.beginning;
  if (!beginning.asked && !packet->payload.empty()) {
    FlowStart start;
    start.transport = flow.transport;
    start.client = flow.ends[0];
    start.server = flow.ends[1];
    start.midstream = flow.midstream;
    start.first = flow.first;
    start.now = packet->time;
    beginning.notes = classifier_->open(start);
    beginning.asked = true;
  }
  if (beginning.asked) classifier_->packet(beginning.notes.get(), packet->ip, from, packet->time);
  const bool last =
      beginning.full(flow.transport) || flow.packets() >= kPacketsMax || kept_bytes_ > limits_.undecided_bytes_max;
  if (beginning.grown || last) classify(flow, last);
}

void FlowTable::classify(Flow& flow, bool last_chance) {
  FlowStart start;
  start.transport = flow.transport;
  start.client = flow.ends[0];
  start.server = flow.ends[1];
  start.midstream = flow.midstream;
  start.first = flow.first;
  start.now = flow.last;
  start.packets = static_cast<std::uint32_t>(std::min<std::uint64_t>(flow.packets(), UINT32_MAX));
  start.client_bytes = flow.traffic[0].payload;
  start.server_bytes = flow.traffic[1].payload;
  flow.beginning->show(start);
  flow.beginning->grown = false;
  Opinion opinion = classifier_->classify(flow.beginning->notes.get(), start, last_chance);
  if (opinion.state == Opinion::State::named)
    decide(flow, &opinion.named);
  else if (opinion.state == Opinion::State::unnamed || last_chance)
    decide(flow, nullptr);
}

void FlowTable::decide(Flow& flow, Named* named) {
  flow.decided = true;
  const BeginningPtr beginning = std::move(flow.beginning);
  kept_bytes_ -= beginning->size();
  if (named == nullptr) return stop_following(flow);
  if (named->swapped) {
    std::swap(flow.ends[0], flow.ends[1]);
    std::swap(flow.traffic[0], flow.traffic[1]);
    std::swap(flow.streams[0], flow.streams[1]);
    beginning->swap_sides(flow.transport);
  }
  flow.watch = named->watch && flow.transport == Transport::udp;
  flow.name = std::make_unique<FlowName>(0, named->cover, std::move(named->evidence), std::move(named->host));
  flow.reader = sink_.named(flow, *named);
  if (!flow.reader || !beginning->replay(*flow.reader, flow.transport)) stop_following(flow);
}

// From now on packets are only counted.
void FlowTable::stop_following(Flow& flow) {
  flow.reader.reset();
  flow.reader_done = false;
  if (flow.beginning) kept_bytes_ -= flow.beginning->size();
  flow.beginning.reset();
  for (Stream& stream : flow.streams) stream.drop(segments_);
}

// --- which flow, and for how long
// -------------------------------------------------------------------------------------

FlowTable::Queue FlowTable::queue_of(const Flow& flow) const {
  if (flow.transport == Transport::udp) return kUdp;
  const bool both_finished =
      (flow.streams[0].finished() && flow.streams[1].finished()) || (flow.fin_seen[0] && flow.fin_seen[1]);
  if (flow.reset || both_finished) return kClosing;
  return flow.traffic[1].packets == 0 && flow.traffic[0].payload == 0 ? kOpening : kTcp;
}

std::uint32_t FlowTable::find(const Packet& packet, std::uint32_t tag) const {
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = tag & mask; slots_[i].flow != kNone; i = (i + 1) & mask) {
    if (slots_[i].tag != tag) continue;
    const Flow& flow = chunks_[slots_[i].flow / kChunk][slots_[i].flow % kChunk];
    // Nearly always it is the one, and all of it is wanted.
    for (std::size_t line = kCacheLine; line < sizeof(Flow); line += kCacheLine)
      __builtin_prefetch(reinterpret_cast<const char*>(&flow) + line, 1);
    if (flow.transport != packet.transport) continue;
    if ((flow.ends[0] == packet.source && flow.ends[1] == packet.destination) ||
        (flow.ends[1] == packet.source && flow.ends[0] == packet.destination))
      return slots_[i].flow;
  }
  return kNone;
}

std::uint32_t FlowTable::add(const Packet& packet, std::uint32_t tag) {
  make_room();
  const std::uint32_t index = take_flow();
  Flow& flow = at(index);
  const bool syn = packet.transport == Transport::tcp && packet.tcp.has(TcpHeader::kSyn);
  const bool reversed = syn ? packet.tcp.has(TcpHeader::kAck) : source_looks_like_server(packet);
  flow.ends = {packet.source, packet.destination};
  if (reversed) std::swap(flow.ends[0], flow.ends[1]);
  flow.transport = packet.transport;
  flow.midstream = packet.transport == Transport::tcp && !syn;
  flow.first = flow.last = packet.time;
  flow.seen = clock_;
  flow.tag = tag;
  if (classifier_ != nullptr && beginnings_.in_use() < limits_.undecided_max)
    flow.beginning = beginnings_.take();
  else if (classifier_ != nullptr)
    skipped_.add(Skip::flows_limit);
  insert_slot(tag, index);
  link(index, flow.transport == Transport::udp ? kUdp : kOpening);
  ++count_;
  return index;
}

std::uint32_t FlowTable::take_flow() {
  if (free_.empty()) {
    const auto first = static_cast<std::uint32_t>(chunks_.size()) * kChunk;
    chunks_.push_back(std::make_unique<Flow[]>(kChunk));
    for (std::uint32_t i = kChunk; i-- > 0;) free_.push_back(first + i);
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  return index;
}

void FlowTable::end(std::uint32_t index) {
  Flow& flow = at(index);
  if (flow.transport == Transport::tcp && follows(flow)) {
    for (const Side side : {Side::client, Side::server}) {
      Output output{*this, flow, side};
      flow.streams[sensor::index(side)].flush({segments_, skipped_, output, flow.last});
    }
  }
  if (flow.beginning) classify(flow, true);
  sink_.ended(flow);
  stop_following(flow);
  erase_slot(flow.tag, index);
  unlink(index);
  flow = Flow{};
  free_.push_back(index);
  --count_;
}

void FlowTable::finish() {
  for (const Queue queue : {kClosing, kOpening, kUdp, kTcp})
    while (lists_[queue].oldest != kNone) end(lists_[queue].oldest);
}

// The clock never goes back. A single time far ahead is not believed: it would put out all flows.
void FlowTable::advance(Instant time) {
  const bool believed = clock_ == Instant::min() || time - clock_ < kLeap;
  const bool confirmed = leap_ != Instant::min() && time >= leap_ - kLeap && time <= leap_ + kLeap;
  if (!believed && !confirmed) {
    leap_ = time;
    return;
  }
  if (leap_ != Instant::min() && !confirmed) skipped_.add(Skip::bad_time);
  leap_ = Instant::min();
  clock_ = std::max(clock_, time);
}

void FlowTable::tick(Instant now) {
  if (clock_ == Instant::min()) return;
  advance(now);
  if (clock_ >= next_expiry_) expire();
}

void FlowTable::expire() {
  next_expiry_ = clock_ + kExpiryStep;
  const std::array<Duration, kQueues> idle{limits_.opening_idle, limits_.closing_idle, limits_.udp_idle,
                                           limits_.tcp_idle};
  for (std::size_t queue = 0; queue < kQueues; ++queue)
    while (lists_[queue].oldest != kNone && clock_ - at(lists_[queue].oldest).seen > idle[queue])
      end(lists_[queue].oldest);
}

void FlowTable::make_room() {
  if (count_ < limits_.flows_max) return;
  for (const Queue queue : {kClosing, kOpening, kUdp, kTcp}) {
    if (lists_[queue].oldest == kNone) continue;
    skipped_.add(Skip::flows_limit);
    return end(lists_[queue].oldest);
  }
}

void FlowTable::touch(std::uint32_t index, Queue queue) {
  Flow& flow = at(index);
  if (flow.queue == queue && clock_ - flow.seen < kTouchStep) return;
  flow.seen = clock_;
  unlink(index);
  link(index, queue);
}

void FlowTable::link(std::uint32_t index, Queue queue) {
  Flow& flow = at(index);
  List& list = lists_[queue];
  flow.queue = queue;
  flow.older = list.newest;
  flow.newer = kNone;
  (list.newest == kNone ? list.oldest : at(list.newest).newer) = index;
  list.newest = index;
}

void FlowTable::unlink(std::uint32_t index) {
  const Flow& flow = at(index);
  List& list = lists_[flow.queue];
  (flow.older == kNone ? list.oldest : at(flow.older).newer) = flow.newer;
  (flow.newer == kNone ? list.newest : at(flow.newer).older) = flow.older;
}

void FlowTable::insert_slot(std::uint32_t tag, std::uint32_t flow) {
  if ((count_ + 1) * 2 > slots_.size()) grow_slots();
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = tag & mask;
  while (slots_[i].flow != kNone) i = (i + 1) & mask;
  slots_[i] = {tag, flow};
}

// Moves later entries of the run back, so that no search ends at the hole.
void FlowTable::erase_slot(std::uint32_t tag, std::uint32_t flow) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = tag & mask;
  while (slots_[hole].flow != flow) hole = (hole + 1) & mask;
  for (std::size_t i = (hole + 1) & mask; slots_[i].flow != kNone; i = (i + 1) & mask) {
    const std::size_t home = slots_[i].tag & mask;
    if (((i - home) & mask) < ((i - hole) & mask)) continue;
    slots_[hole] = slots_[i];
    hole = i;
  }
  slots_[hole] = {};
}

void FlowTable::grow_slots() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  const std::size_t mask = slots_.size() - 1;
  for (const Slot& slot : old) {
    if (slot.flow == kNone) continue;
    std::size_t i = slot.tag & mask;
    while (slots_[i].flow != kNone) i = (i + 1) & mask;
    slots_[i] = slot;
  }
}

std::size_t FlowTable::memory() const {
  return chunks_.size() * kChunk * sizeof(Flow) + slots_.size() * sizeof(Slot) + segments_.memory() +
         beginnings_.in_use() * sizeof(Beginning) + kept_bytes_;
}

}  // namespace chancery::sensor
