#include "sensor/flow/stream.h"

#include <algorithm>
#include <cstring>

namespace chancery::sensor {
namespace {

// Sequence numbers are compared modulo 2^32 (RFC 9293 §3.4).
std::int32_t ahead(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b); }

}  // namespace

void Stream::open(std::uint32_t next, StreamContext context) {
  if (state_ == State::open) return;
  state_ = State::open;
  next_ = next;
  waited_ = 0;
  drain(context.now, context);
}

void Stream::segment(const StreamSegment& segment, StreamContext context) {
  const std::uint32_t end = segment.sequence + static_cast<std::uint32_t>(segment.octets.size()) + segment.missing;
  if (state_ == State::unset) {
    state_ = State::joining;
    next_ = segment.sequence;
  }
  const std::int32_t distance = ahead(segment.sequence, next_);
  if (distance > static_cast<std::int32_t>(kAheadMax) || distance < -static_cast<std::int32_t>(kAheadMax)) {
    context.skipped.add(Skip::out_of_window);
    return;
  }
  if (segment.fin && !fin_seen_) {
    fin_seen_ = true;
    fin_ = end;
  }
  if (state_ == State::joining) {
    if (distance < 0) next_ = segment.sequence;
    hold(segment.sequence, segment.octets, context);
    return;
  }
  if (distance > 0) {
    hold(segment.sequence, segment.octets, context);
    return;
  }
  const auto old = static_cast<std::uint32_t>(-distance);
  if (ahead(end, next_) > 0) {
    const std::size_t known = std::min<std::size_t>(old, segment.octets.size());
    deliver(segment.octets.substr(known), segment.missing - (old - static_cast<std::uint32_t>(known)), context.now,
            context);
    if (held_ != SegmentPool::kNone) drain(context.now, context);
  }
  check_finished(context);
}

void Stream::deliver(Bytes octets, std::uint32_t missing, Instant time, StreamContext& context) {
  if (!octets.empty()) {
    next_ += static_cast<std::uint32_t>(octets.size());
    context.out.octets(octets, time);
  }
  if (missing > 0) {
    next_ += missing;
    context.skipped.add(Skip::lost);
    context.out.lost(missing);
  }
}

// Delivers what is held and now in turn. `not_before`: when that became readable.
void Stream::drain(Instant not_before, StreamContext& context) {
  while (held_ != SegmentPool::kNone) {
    SegmentPool::Block& first = context.pool[held_];
    const std::int32_t distance = ahead(first.sequence, next_);
    if (distance > 0) break;
    if (ahead(first.end(), next_) > 0)
      deliver(first.bytes().substr(static_cast<std::uint32_t>(-distance)), 0, std::max(first.time, not_before),
              context);
    drop_first(context.pool);
  }
  waited_ = 0;
  check_finished(context);
}

void Stream::check_finished(StreamContext& context) {
  if (!fin_seen_ || finished_ || state_ != State::open || ahead(next_, fin_) < 0) return;
  finished_ = true;
  context.out.finished();
}

void Stream::wait(StreamContext context) {
  if (waited_ < UINT8_MAX) ++waited_;
  if (state_ == State::joining) {
    if (waited_ >= kJoinPackets || context.now - context.pool[held_].time > kJoinTime) join(context);
    return;
  }
  const SegmentPool::Block& first = context.pool[held_];
  const bool acknowledged = ack_seen_ && ahead(acked_, first.sequence) >= 0;
  const bool long_ago = waited_ >= kPatience || context.now - first.time > kGapTime;
  const bool full = held_count_ >= kHeldMax;
  if (acknowledged && (waited_ >= kGapPackets || long_ago)) return skip_to_held(context);
  if (!long_ago && !full) return;
  if (full) context.skipped.add(Skip::segments_limit);
  if (!ack_seen_) return skip_to_held(context);
  // Acknowledgements are seen, but none of this: the receiver does not have what came before it.
  while (held_ != SegmentPool::kNone && ahead(context.pool[held_].sequence, acked_) > 0 &&
         (full || context.now - context.pool[held_].time > kGapTime || waited_ >= kPatience)) {
    context.skipped.add(Skip::out_of_window);
    drop_first(context.pool);
  }
  waited_ = 0;
}

void Stream::join(StreamContext& context) {
  state_ = State::open;
  if (held_ != SegmentPool::kNone) next_ = context.pool[held_].sequence;
  drain(Instant::min(), context);
}

void Stream::skip_to_held(StreamContext& context) {
  const std::uint32_t first = context.pool[held_].sequence;
  deliver({}, first - next_, context.now, context);
  drain(Instant::min(), context);
}

void Stream::flush(StreamContext context) {
  if (state_ == State::joining) join(context);
  while (held_ != SegmentPool::kNone) skip_to_held(context);
  check_finished(context);
}

void Stream::drop(SegmentPool& pool) {
  while (held_ != SegmentPool::kNone) drop_first(pool);
}

void Stream::drop_first(SegmentPool& pool) {
  const std::uint32_t first = held_;
  held_ = pool[first].next;
  pool.give_back(first);
  --held_count_;
}

// Puts what no held block covers between the held blocks, so that they stay sorted and never overlap.
void Stream::hold(std::uint32_t sequence, Bytes octets, StreamContext& context) {
  std::uint32_t previous = SegmentPool::kNone;
  std::uint32_t at = held_;
  while (!octets.empty()) {
    while (at != SegmentPool::kNone && ahead(context.pool[at].end(), sequence) <= 0) {
      previous = at;
      at = context.pool[at].next;
    }
    std::size_t size = std::min(octets.size(), SegmentPool::kBlockSize);
    if (at != SegmentPool::kNone) {
      const SegmentPool::Block& block = context.pool[at];
      const std::int32_t before = ahead(block.sequence, sequence);
      if (before <= 0) {  // its begin is held already
        const std::size_t inside = static_cast<std::uint32_t>(-before);
        const std::size_t common = std::min(octets.size(), block.size - inside);
        if (block.bytes().substr(inside, common) != octets.substr(0, common))
          context.skipped.add(Skip::overlap_conflict);
        octets.remove_prefix(common);
        sequence += static_cast<std::uint32_t>(common);
        continue;
      }
      size = std::min<std::size_t>(size, static_cast<std::uint32_t>(before));
    }
    const std::uint32_t made = held_count_ < kHeldMax ? context.pool.take() : SegmentPool::kNone;
    if (made == SegmentPool::kNone) {
      context.skipped.add(Skip::segments_limit);
      return;
    }
    SegmentPool::Block& block = context.pool[made];
    block.sequence = sequence;
    block.size = static_cast<std::uint16_t>(size);
    block.time = context.now;
    std::memcpy(block.octets.data(), octets.data(), size);
    block.next = at;
    (previous == SegmentPool::kNone ? held_ : context.pool[previous].next) = made;
    ++held_count_;
    previous = made;
    sequence += static_cast<std::uint32_t>(size);
    octets.remove_prefix(size);
  }
}

}  // namespace chancery::sensor
