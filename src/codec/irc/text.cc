#include "codec/irc/text.h"

#include <algorithm>

#include "core/utf8.h"

namespace chancery::irc {
namespace {

constexpr Bytes kReplacement = "\xef\xbf\xbd";  // U+FFFD

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Length of `[value][,value]` after a colour code, where a value is `least` to `most` of what `accepts` takes. The
// comma belongs to the code only before a value.
std::size_t colours_length(Bytes rest, std::size_t least, std::size_t most, bool (*accepts)(char)) {
  const auto value = [&](std::size_t at) {
    std::size_t size = 0;
    while (size < most && at + size < rest.size() && accepts(rest[at + size])) ++size;
    return size >= least ? size : 0;
  };
  const std::size_t first = value(0);
  if (first == 0 || first >= rest.size() || rest[first] != ',') return first;
  const std::size_t second = value(first + 1);
  return second == 0 ? first : first + 1 + second;
}

// Length of the formatting code or control character at the start of `octets`.
std::size_t code_length(Bytes octets) {
  constexpr char kColour = 0x03;
  constexpr char kHexColour = 0x04;
  if (octets.front() == kColour) return 1 + colours_length(octets.substr(1), 1, 2, is_digit);
  if (octets.front() == kHexColour) return 1 + colours_length(octets.substr(1), 6, 6, is_hex);
  return 1;
}

// Length of the longest beginning of `octets` that is UTF-8.
std::size_t utf8_prefix(Bytes octets) {
  if (is_utf8(octets)) return octets.size();
  std::size_t at = 0;
  while (at < octets.size()) {
    std::size_t size = 1;
    while (size <= 4 && at + size <= octets.size() && !is_utf8(octets.substr(at, size))) ++size;
    if (size > 4 || at + size > octets.size()) break;
    at += size;
  }
  return at;
}

}  // namespace

void TextBuilder::add(Bytes text, std::uint32_t wire_begin, std::uint32_t wire_end, bool as_is) {
  if (text.empty()) return;
  const auto begin = static_cast<std::uint32_t>(part_.text.size());
  part_.text += text;
  const auto end = static_cast<std::uint32_t>(part_.text.size());
  if (as_is && last_as_is_ && !part_.segments.empty() && part_.segments.back().wire_end == wire_begin) {
    part_.segments.back().text_end = end;
    part_.segments.back().wire_end = wire_end;
  } else {
    part_.segments.push_back({begin, end, wire_begin, wire_end});
  }
  last_as_is_ = as_is;
}

void TextBuilder::add_octets(Bytes octets, std::uint32_t wire_begin) {
  while (!octets.empty()) {
    const auto good = static_cast<std::uint32_t>(utf8_prefix(octets));
    add(octets.substr(0, good), wire_begin, wire_begin + good, true);
    octets.remove_prefix(good);
    wire_begin += good;
    if (octets.empty()) return;
    add(kReplacement, wire_begin, wire_begin + 1, false);
    octets.remove_prefix(1);
    ++wire_begin;
  }
}

void TextBuilder::add_replaced(Bytes text, std::uint32_t wire_begin, std::uint32_t wire_end) {
  add(text, wire_begin, wire_end, false);
}

TextPart TextBuilder::take(TextPart::Role role) && {
  part_.role = role;
  return std::move(part_);
}

TextPart plain_text(Bytes octets, std::uint32_t wire_begin, TextPart::Role role) {
  TextBuilder text;
  while (!octets.empty()) {
    const auto run = static_cast<std::uint32_t>(std::ranges::find_if(octets, is_control) - octets.begin());
    text.add_octets(octets.substr(0, run), wire_begin);
    octets.remove_prefix(run);
    wire_begin += run;
    if (octets.empty()) break;
    const auto code = static_cast<std::uint32_t>(code_length(octets));
    octets.remove_prefix(code);
    wire_begin += code;
  }
  return std::move(text).take(role);
}

std::vector<Edit> mask_edits(const TextPart& part, std::uint32_t number, std::span<const Mask> masks, Bytes wire) {
  std::vector<Edit> edits;
  for (const Mask& mask : masks) {
    if (mask.part != number) continue;
    for (const Segment& s : part.segments) {
      const std::uint32_t begin = std::max(mask.begin, s.text_begin);
      const std::uint32_t end = std::min(mask.end, s.text_end);
      if (begin >= end) continue;
      const Bytes text = Bytes{part.text}.substr(s.text_begin, s.text_end - s.text_begin);
      const bool as_is = wire.substr(s.wire_begin, s.wire_end - s.wire_begin) == text;
      const Bytes hidden = as_is ? text.substr(begin - s.text_begin, end - begin) : text;
      const auto characters =
          static_cast<std::size_t>(std::ranges::count_if(hidden, [](char c) { return !continues_character(c); }));
      const std::uint32_t from = as_is ? s.wire_begin + (begin - s.text_begin) : s.wire_begin;
      const std::uint32_t to = as_is ? s.wire_begin + (end - s.text_begin) : s.wire_end;
      edits.push_back({from, to, Buffer(std::max<std::size_t>(characters, 1), '*')});
    }
  }
  return edits;
}

Buffer apply_edits(Bytes wire, std::vector<Edit> edits) {
  std::ranges::stable_sort(edits, {}, &Edit::begin);
  Buffer out;
  out.reserve(wire.size());
  std::uint32_t at = 0;
  for (const Edit& edit : edits) {
    if (edit.end < at || (edit.end == at && edit.begin < at)) continue;
    if (edit.begin >= at) {
      out += wire.substr(at, edit.begin - at);
      out += edit.with;
    }
    at = std::max(at, edit.end);
  }
  out += wire.substr(at);
  return out;
}

}  // namespace chancery::irc
