#include "codec/irc/framing.h"

#include <algorithm>
#include <utility>

#include "codec/codec.h"

namespace chancery::irc {
namespace {

bool is_well_formed(Bytes line) {
  if (line.find('\0') != Bytes::npos) return false;
  line.remove_suffix(1);  // the LF
  const std::size_t end = line.find_last_not_of('\r');
  return end == Bytes::npos || line.substr(0, end).find('\r') == Bytes::npos;
}

}  // namespace

bool LineReader::next(Bytes& in, Buffer& line) {
  if (error_ || in.empty()) return false;
  const std::size_t end = in.find('\n');
  const std::size_t size = end == Bytes::npos ? in.size() : end + 1;
  // A line not yet ended must leave room for its LF: so the error comes at the same octet however they are cut.
  const std::size_t total = buffer_.size() + size + (end == Bytes::npos ? 1 : 0);
  if (total > size_max_) {
    error_ = make_error_code(CodecError::too_large);
    buffer_ = Buffer{};
    return false;
  }
  if (end == Bytes::npos) {
    buffer_ += in;
    in = {};
    return false;
  }
  line = std::exchange(buffer_, Buffer{});
  line += in.substr(0, size);
  in.remove_prefix(size);
  was_cut_ = std::exchange(cut_, false);
  if (was_cut_ || is_well_formed(line)) return true;
  error_ = make_error_code(CodecError::malformed);
  return false;
}

void LineReader::lose() {
  buffer_ = Buffer{};
  cut_ = true;
}

}  // namespace chancery::irc
