#include "gateway/secrets.h"

#include <algorithm>

namespace chancery::gateway {
namespace {

constexpr char kMasked = '*';

void mask_segment(std::string& text, const Segment& segment, const Secret& secret) {
  const std::uint32_t wire_begin = std::max(segment.wire_begin, secret.wire_begin);
  const std::uint32_t wire_end = std::min(segment.wire_end, secret.wire_end);
  if (wire_begin >= wire_end) return;
  std::size_t begin = segment.text_begin;
  std::size_t end = segment.text_end;
  if (segment.text_end - segment.text_begin == segment.wire_end - segment.wire_begin) {
    begin += wire_begin - segment.wire_begin;
    end = begin + (wire_end - wire_begin);
  }
  end = std::min(end, text.size());
  for (std::size_t i = begin; i < end; ++i) text[i] = kMasked;
}

}  // namespace

void mask_wire(Buffer& wire, std::span<const Secret> secrets) {
  for (const Secret& secret : secrets) {
    const std::size_t end = std::min<std::size_t>(secret.wire_end, wire.size());
    for (std::size_t i = secret.wire_begin; i < end; ++i) wire[i] = kMasked;
  }
}

void mask_texts(Event& event, std::span<const Secret> secrets) {
  for (TextPart& part : event.texts)
    for (const Segment& segment : part.segments)
      for (const Secret& secret : secrets) mask_segment(part.text, segment, secret);
}

}  // namespace chancery::gateway
