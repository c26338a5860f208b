#include "sensor/read/websocket.h"

#include <algorithm>
#include <zlib.h>

namespace chancery::sensor {

struct Inflater::State {
  z_stream stream{};
  bool ready = false;
};

Inflater::Inflater() : state_(std::make_unique<State>()) {
  state_->ready = inflateInit2(&state_->stream, -MAX_WBITS) == Z_OK;
}

Inflater::~Inflater() {
  if (state_->ready) inflateEnd(&state_->stream);
}

bool Inflater::message(Bytes deflated, std::size_t max, std::string& out, bool keep_context) {
  if (!state_->ready) return false;
  if (!keep_context) inflateReset(&state_->stream);
  std::string input{deflated};
  input.append("\0\0\xff\xff", 4);  // RFC 7692 §7.2.2: what the sender took off
  z_stream& stream = state_->stream;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  out.clear();
  std::array<char, 4'096> piece;
  do {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    const int status = inflate(&stream, Z_SYNC_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) return false;
    out.append(piece.data(), piece.size() - stream.avail_out);
    if (out.size() > max) return false;
    if (status == Z_STREAM_END || status == Z_BUF_ERROR) break;
  } while (stream.avail_in > 0 || stream.avail_out == 0);
  return true;
}

bool WebSocketTexts::octets(Bytes in, const std::function<void(std::string_view)>& text) {
  while (!in.empty() && !broken_) {
    if (!in_payload_) {
      head_[head_size_++] = static_cast<unsigned char>(in.front());
      in.remove_prefix(1);
      if (!begin_frame()) return !(broken_ = true);
      if (in_payload_ && left_ == 0 && !end_frame(text)) return !(broken_ = true);
      continue;
    }
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(in.size(), left_));
    const bool wanted = opcode_ < 8 && is_text_ && !too_long_;
    if (wanted && text_.size() + count > kTextMax) {
      too_long_ = true;
      text_.clear();
    } else if (wanted) {
      const std::size_t begin = text_.size();
      text_.append(in.substr(0, count));
      if (masked_)
        for (std::size_t i = 0; i < count; ++i)
          text_[begin + i] = static_cast<char>(static_cast<unsigned char>(text_[begin + i]) ^ mask_[(at_ + i) % 4]);
    }
    left_ -= count;
    at_ += count;
    in.remove_prefix(count);
    if (left_ == 0 && !end_frame(text)) return !(broken_ = true);
  }
  return !broken_;
}

// RFC 6455 §5.2. True also while the header is not whole.
bool WebSocketTexts::begin_frame() {
  if (head_size_ < 2) return true;
  const unsigned size = head_[1] & 0x7fU;
  const std::size_t extra = size == 126 ? 2 : size == 127 ? 8 : 0;
  masked_ = (head_[1] & 0x80U) != 0;
  const std::size_t whole = 2 + extra + (masked_ ? 4 : 0);
  if (head_size_ < whole) return true;
  left_ = size;
  if (extra > 0) {
    left_ = 0;
    for (std::size_t i = 0; i < extra; ++i) left_ = left_ << 8U | head_[2 + i];
  }
  if (masked_) std::copy_n(head_.begin() + static_cast<std::ptrdiff_t>(2 + extra), 4, mask_.begin());
  opcode_ = head_[0] & 0x0fU;
  final_ = (head_[0] & 0x80U) != 0;
  const bool compressed = (head_[0] & 0x40U) != 0;
  const bool control = opcode_ >= 8;
  head_size_ = 0;
  in_payload_ = true;
  at_ = 0;
  if ((head_[0] & 0x30U) != 0 || (opcode_ > 2 && opcode_ < 8) || opcode_ > 10) return false;
  if ((compressed && (!deflate_ || control || opcode_ == 0)) || (control && (left_ > 125 || !final_))) return false;
  if (opcode_ == 1 || opcode_ == 2) {
    // With a shared context, binary messages must be inflated too, or later texts cannot be.
    is_text_ = opcode_ == 1 || (compressed && keep_context_);
    binary_ = opcode_ == 2;
    compressed_ = compressed;
    too_long_ = false;
    text_.clear();
  }
  return true;
}

bool WebSocketTexts::end_frame(const std::function<void(std::string_view)>& text) {
  in_payload_ = false;
  if (opcode_ >= 8 || !final_) return true;
  if (!is_text_) return true;
  if (too_long_) return !compressed_;  // the context is gone
  if (compressed_) {
    if (!inflater_) inflater_ = std::make_unique<Inflater>();
    std::string plain;
    if (!inflater_->message(text_, kTextMax, plain, keep_context_)) return false;
    if (!binary_) text(plain);
  } else {
    text(text_);
  }
  text_.clear();
  return true;
}

bool WebSocketTexts::lost(std::uint64_t count) {
  // Inside one frame's payload the frames after it are still found, but this message is not whole.
  if (!in_payload_ || count == 0 || count >= left_ || (deflate_ && compressed_)) return !(broken_ = true);
  left_ -= count;
  at_ += count;
  too_long_ = true;
  return true;
}

}  // namespace chancery::sensor
