#include "codec/wire/frames.h"

#include <algorithm>
#include <utility>

namespace chancery {
namespace {

// Skipped octets leave in pieces of this size, wherever the stream was cut.
constexpr std::size_t kSkippedMax = 4096;
constexpr std::size_t kKeptMax = 4096;  // a larger buffer is given back when it is empty

}  // namespace

FrameReader::Got FrameReader::next(Bytes in, Buffer& out) {
  if (error_) return Got::nothing;
  buffer_ += in;
  Got got = Got::nothing;
  do {
    if (error_ || buffer_.size() - begin_ < wanted_) break;
    got = lost_ ? look_for_beginning(out) : read_frame(out);
  } while (got == Got::nothing && !error_ && buffer_.size() - begin_ >= wanted_);
  if (got == Got::nothing) compact();
  return got;
}

void FrameReader::lose() {
  Buffer{}.swap(buffer_);  // an assignment would keep what it holds
  begin_ = 0;
  seen_ = 0;
  wanted_ = 1;
  lost_ = true;
  framed_ = true;
  error_ = {};
}

FrameReader::Got FrameReader::look_for_beginning(Buffer& out) {
  const Bytes octets = Bytes{buffer_}.substr(begin_);
  Likeness here = Likeness::no;
  for (; seen_ < octets.size(); ++seen_) {
    here = framing_.begins(from_, octets.substr(seen_));
    if (here != Likeness::no) break;
  }
  if (here == Likeness::yes) lost_ = false;
  if (seen_ >= kSkippedMax || (!lost_ && seen_ > 0)) {
    const std::size_t size = std::min(seen_, kSkippedMax);
    if (size < seen_) lost_ = true;  // the beginning is found again behind the next piece
    return take(size, Got::skipped, out);
  }
  wanted_ = lost_ ? octets.size() + 1 : 1;
  return Got::nothing;
}

FrameReader::Got FrameReader::read_frame(Buffer& out) {
  const Bytes octets = Bytes{buffer_}.substr(begin_);
  const Measured measured = framing_.measure(from_, octets, seen_);
  if (measured.what == Measured::What::wrong) {
    if (!resynchronise_ || !framed_) return fail(CodecError::malformed);
    lost_ = true;
    seen_ = 1;  // whatever begins here is no frame
    wanted_ = 1;
    return Got::nothing;
  }
  if (measured.size > size_max_) return fail(CodecError::too_large);
  if (measured.what == Measured::What::frame && measured.size <= octets.size()) {
    framed_ = true;
    return take(measured.size, Got::frame, out);
  }
  seen_ = octets.size();
  const std::size_t needed = std::max(measured.size, octets.size() + 1);
  // What is under way must leave room for its end: so the error comes at the same octet however they are cut.
  if (needed > size_max_) return fail(CodecError::too_large);
  // For the same reason each octet is looked at while the next one may show that this is no frame.
  wanted_ = measured.what == Measured::What::more ? octets.size() + 1 : needed;
  return Got::nothing;
}

FrameReader::Got FrameReader::take(std::size_t size, Got got, Buffer& out) {
  out.assign(buffer_, begin_, size);
  begin_ += size;
  // Behind a skipped piece, what was looked at already need not be looked at again.
  seen_ = got == Got::skipped && lost_ ? seen_ - size : 0;
  wanted_ = 1;
  return got;
}

FrameReader::Got FrameReader::fail(CodecError error) {
  error_ = make_error_code(error);
  Buffer{}.swap(buffer_);  // an assignment would keep what it holds
  begin_ = 0;
  return Got::nothing;
}

void FrameReader::compact() {
  if (begin_ == 0) return;
  buffer_.erase(0, begin_);
  begin_ = 0;
  if (buffer_.empty() && buffer_.capacity() > kKeptMax)
    Buffer{}.swap(buffer_);  // an assignment would keep what it holds
}

Likeness probe_frames(const Framing& framing, Side from, Bytes octets) {
  for (std::size_t at = 0; at < octets.size(); ++at) {
    const Likeness here = framing.begins(from, octets.substr(at));
    if (here == Likeness::yes) return here;
    if (here == Likeness::need_more) break;
  }
  return octets.size() < kProbedMax ? Likeness::need_more : Likeness::no;
}

}  // namespace chancery
