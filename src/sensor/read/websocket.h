#pragma once
// One direction of a WebSocket (RFC 6455): the text messages in its frames, unmasked, put together, and inflated where
// permessage-deflate (RFC 7692) was agreed. A message longer than kTextMax is skipped.
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/bytes.h"

namespace chancery::sensor {

class Inflater {  // zlib's, behind one door
 public:
  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  // RFC 7692 §7.2.2. False: damaged, or more than `max` octets.
  bool message(Bytes deflated, std::size_t max, std::string& out, bool keep_context);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class WebSocketTexts {
 public:
  static constexpr std::size_t kTextMax = 64 * 1024;

  void allow_deflate(bool keep_context) {
    deflate_ = true;
    keep_context_ = keep_context;
  }
  // False: these are no frames; nothing more is read.
  bool octets(Bytes octets, const std::function<void(std::string_view)>& text);
  // Frames cannot be found again behind a gap, but inside one they can.
  bool lost(std::uint64_t count);

  std::size_t memory() const { return text_.capacity() + (inflater_ ? 48 * 1024 : 0); }

 private:
  bool begin_frame();
  bool end_frame(const std::function<void(std::string_view)>& text);

  std::array<unsigned char, 14> head_{};
  std::size_t head_size_ = 0;
  bool in_payload_ = false;
  std::uint64_t left_ = 0, at_ = 0;
  std::array<unsigned char, 4> mask_{};
  bool masked_ = false, final_ = false;
  std::uint8_t opcode_ = 0;
  // The message that the frames make up.
  std::string text_;
  bool is_text_ = false, binary_ = false, compressed_ = false, too_long_ = false;
  bool deflate_ = false, keep_context_ = true, broken_ = false;
  std::unique_ptr<Inflater> inflater_;
};

}  // namespace chancery::sensor
