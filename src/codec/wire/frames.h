#pragma once
// Frames out of octets, for protocols whose frames say where they end. After lost octets, and in a stream joined in
// the middle, the next place that can only be a frame's beginning is looked for.
#include <cstddef>
#include <cstdint>
#include <system_error>

#include "codec/codec.h"
#include "core/bytes.h"

namespace chancery {

struct Measured {
  enum class What : std::uint8_t {
    frame,  // it ends after `size` octets
    more,   // at least `size` octets are needed before it can be said
    wrong,  // this is no frame
  };
  What what = What::wrong;
  std::size_t size = 0;

  static Measured frame(std::size_t size) { return {What::frame, size}; }
  static Measured more(std::size_t size) { return {What::more, size}; }
  static Measured wrong() { return {What::wrong, 0}; }
};

// How one protocol's frames look. Both depend on the octets alone, so that how they were cut changes nothing.
struct Framing {
  // `octets` (not empty) begin at a frame. The first `seen` of them were there when it last answered `more`.
  Measured (*measure)(Side from, Bytes octets, std::size_t seen);
  // Whether `octets` (not empty), at any place of a stream, are certainly the beginning of a frame.
  Likeness (*begins)(Side from, Bytes octets);
};

class FrameReader {
 public:
  // `resynchronise`: what is no frame is skipped (when one was read before); else it is an error.
  FrameReader(const Framing& framing, Side from, std::uint32_t size_max, bool resynchronise, bool in_the_middle)
      : framing_(framing),
        size_max_(size_max),
        from_(from),
        resynchronise_(resynchronise),
        lost_(in_the_middle),
        framed_(in_the_middle) {}

  enum class Got : std::uint8_t {
    nothing,  // no more is complete, or `error()`
    frame,
    skipped,  // octets of which nothing can be said
  };
  // Takes all of `in`; moves what is next to `out`. Call again with nothing until it answers `nothing`.
  Got next(Bytes in, Buffer& out);

  // Octets went missing: what is under way is forgotten.
  void lose();

  const std::error_code& error() const { return error_; }
  bool in_frame() const { return begin_ < buffer_.size(); }
  std::size_t memory() const { return buffer_.capacity(); }

 private:
  Got look_for_beginning(Buffer& out);
  Got read_frame(Buffer& out);
  Got take(std::size_t size, Got got, Buffer& out);
  Got fail(CodecError error);
  void compact();

  Framing framing_;
  std::uint32_t size_max_;
  Side from_;
  bool resynchronise_;
  bool lost_;
  bool framed_;             // that this is the protocol is known: a frame was read, or the driver said so
  std::size_t begin_ = 0;   // of what is not yet given out, in `buffer_`
  std::size_t seen_ = 0;    // from `begin_`: what the frame under way was measured with, or what is no beginning
  std::size_t wanted_ = 1;  // octets from `begin_` that make asking again worth while
  Buffer buffer_;
  std::error_code error_;
};

// `begins` for each place: what a protocol's probe is made of. Octets enough without a beginning: no.
Likeness probe_frames(const Framing& framing, Side from, Bytes octets);
// So many octets without a telling frame are something else.
inline constexpr std::size_t kProbedMax = 2048;

}  // namespace chancery
