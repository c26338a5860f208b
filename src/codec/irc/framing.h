#pragma once
// Lines out of octets. A line ends in LF; CRs directly before it belong to the line end (RFC 2812 §2.3; single LF and
// doubled CR occur). NUL, and a CR elsewhere, are errors: some servers end a line at a lone CR and some do not, so the
// two ends of the wire could read different messages out of the same octets.
#include <cstdint>
#include <system_error>

#include "core/bytes.h"

namespace chancery::irc {

// RFC 2812 allows 512 octets and message-tags 8,191 more; servers with longer lines (Ergo, soju) stay well below.
inline constexpr std::uint32_t kLineSizeMax = 32'768;

class LineReader {
 public:
  explicit LineReader(std::uint32_t size_max) : size_max_(size_max < kLineSizeMax ? size_max : kLineSizeMax) {}

  // Moves the next whole line from `in` (and what came before) to `line`. False: none is complete, or `error()`.
  bool next(Bytes& in, Buffer& line);

  // Octets went missing: forget the line that was under way, and report the rest of it as `cut`.
  void lose();
  // The line last given began somewhere before the octets we have.
  bool was_cut() const { return was_cut_; }
  void begin_in_the_middle() { cut_ = true; }

  const std::error_code& error() const { return error_; }
  bool in_line() const { return !buffer_.empty(); }
  std::size_t memory() const { return buffer_.capacity(); }

 private:
  std::uint32_t size_max_;
  bool cut_ = false;
  bool was_cut_ = false;
  Buffer buffer_;  // a line not yet ended
  std::error_code error_;
};

}  // namespace chancery::irc
