#include "codec/irc/line.h"

#include <algorithm>

#include "codec/irc/text.h"
#include "core/utf8.h"

namespace chancery::irc {
namespace {

std::uint32_t skip_spaces(Bytes wire, std::uint32_t at, std::uint32_t end) {
  while (at < end && wire[at] == ' ') ++at;
  return at;
}

std::uint32_t skip_word(Bytes wire, std::uint32_t at, std::uint32_t end) {
  while (at < end && wire[at] != ' ') ++at;
  return at;
}

}  // namespace

Line::Line(Bytes wire) : wire_(wire) {
  auto end = static_cast<std::uint32_t>(wire.size());
  if (end > 0 && wire[end - 1] == '\n') --end;
  while (end > 0 && wire[end - 1] == '\r') --end;
  body_end_ = end;
  std::uint32_t at = skip_spaces(wire, 0, end);
  if (at < end && wire[at] == '@') {
    tags_ = {at + 1, skip_word(wire, at, end)};
    at = skip_spaces(wire, tags_.end, end);
  }
  if (at < end && wire[at] == ':') {
    source_ = {at + 1, skip_word(wire, at, end)};
    at = skip_spaces(wire, source_.end, end);
  }
  command_ = {at, skip_word(wire, at, end)};
  at = skip_spaces(wire, command_.end, end);
  while (at < end && count_ < kParamsMax) {
    const bool last = wire[at] == ':' || count_ + 1U == kParamsMax;
    trailing_ = wire[at] == ':';
    if (trailing_) ++at;
    params_[count_++] = {at, last ? end : skip_word(wire, at, end)};
    if (last) break;
    at = skip_spaces(wire, params_[count_ - 1U].end, end);
  }
}

std::string Line::upper_command() const {
  std::string upper{command()};
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return upper;
}

Bytes nick_of(Bytes source) { return source.substr(0, source.find_first_of("!@")); }

std::vector<Span> split_list(const Line& line, Span list) {
  std::vector<Span> pieces;
  for (std::uint32_t at = list.begin; at < list.end;) {
    std::uint32_t end = at;
    while (end < list.end && line.wire()[end] != ',') ++end;
    if (end > at) pieces.push_back({at, end});
    at = end + 1;
  }
  return pieces;
}

std::vector<Tag> tags_of(const Line& line) {
  std::vector<Tag> tags;
  const Span all = line.tags_span();
  for (std::uint32_t at = all.begin; at < all.end;) {
    std::uint32_t end = at;
    while (end < all.end && line.wire()[end] != ';') ++end;
    const Bytes whole = line.text({at, end});
    const auto key_size = static_cast<std::uint32_t>(std::min(whole.find('='), whole.size()));
    const std::uint32_t value = std::min(at + key_size + 1, end);
    if (key_size > 0) tags.push_back({whole.substr(0, key_size), {value, end}, {at, end}});
    at = end + 1;
  }
  return tags;
}

std::optional<std::string> tag_value(const Line& line, std::span<const Tag> tags, std::string_view key) {
  // message-tags: of a key given twice the last one counts.
  for (auto tag = tags.rbegin(); tag != tags.rend(); ++tag) {
    if (tag->key != key) continue;
    const Bytes value = line.text(tag->value);
    if (value.find('\\') == Bytes::npos) return to_utf8_lossy(value);
    return unescape_tag(line, tag->value).text;
  }
  return std::nullopt;
}

TextPart unescape_tag(const Line& line, Span value) {
  TextBuilder text;
  for (std::uint32_t at = value.begin; at < value.end;) {
    std::uint32_t end = at;
    while (end < value.end && line.wire()[end] != '\\') ++end;
    text.add_octets(line.text({at, end}), at);
    if (end >= value.end) break;
    const bool has_letter = end + 1 < value.end;
    const char letter = has_letter ? line.wire()[end + 1] : '\0';
    const std::uint32_t next = end + (has_letter ? 2 : 1);
    constexpr std::string_view kLetters = ":s\\rn";
    constexpr std::string_view kOctets = "; \\\r\n";
    const std::size_t which = kLetters.find(letter);
    // An escape of any other octet is the octet; a backslash at the end is nothing.
    if (has_letter && which != std::string_view::npos)
      text.add_replaced(kOctets.substr(which, 1), end, next);
    else if (has_letter && (static_cast<unsigned char>(letter) & 0x80) == 0)
      text.add_replaced({&letter, 1}, end, next);
    // A backslash before UTF-8 is dropped; the sequence itself is read as it stands.
    at = has_letter && (static_cast<unsigned char>(letter) & 0x80) != 0 ? end + 1 : next;
  }
  return std::move(text).take(TextPart::Role::body);
}

}  // namespace chancery::irc
