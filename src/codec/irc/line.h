#pragma once
// One line of IRC, taken apart: `[@tags ][:source ]COMMAND[ params]`. RFC 1459 §2.3.1, RFC 2812 §2.3.1,
// https://modern.ircdocs.horse/#message-format, https://ircv3.net/specs/extensions/message-tags.
// Spans are octet offsets in the line, so that a rewrite touches nothing else.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "event/event.h"

namespace chancery::irc {

struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool empty() const { return begin == end; }
};

// RFC 2812 §2.3: at most 15 parameters; the last one takes whatever is left.
inline constexpr std::size_t kParamsMax = 15;

class Line {
 public:
  // Lenient where servers are: spaces before the command and between parameters, any case of the command. `wire` is
  // borrowed and may end in CRs and an LF. A line without a command has an empty `command()`.
  explicit Line(Bytes wire);

  Bytes wire() const { return wire_; }
  Bytes tags() const { return text(tags_); }        // without the '@'
  Bytes source() const { return text(source_); }    // without the ':'
  Bytes command() const { return text(command_); }  // as written
  std::string upper_command() const;

  std::size_t param_count() const { return count_; }
  Span param_span(std::size_t i) const { return i < count_ ? params_[i] : Span{}; }
  Bytes param(std::size_t i) const { return text(param_span(i)); }  // empty when there is none
  Span tags_span() const { return tags_; }
  Span command_span() const { return command_; }
  // From the first parameter to the end of the line, as written.
  Span rest_span() const { return {command_.end, body_end_}; }
  std::uint32_t body_end() const { return body_end_; }  // where the line end begins
  bool last_is_trailing() const { return trailing_; }   // the last parameter was written with ':'

  Bytes text(Span span) const { return wire_.substr(span.begin, span.end - span.begin); }

 private:
  Bytes wire_;
  Span tags_, source_, command_;
  std::array<Span, kParamsMax> params_;
  std::uint8_t count_ = 0;
  bool trailing_ = false;
  std::uint32_t body_end_ = 0;
};

// The nick of `nick!user@host`, or all of it.
Bytes nick_of(Bytes source);

// Pieces of a comma-separated list, empty ones left out.
std::vector<Span> split_list(const Line& line, Span list);

struct Tag {
  Bytes key;   // with '+' and vendor, as written
  Span value;  // escaped, in the line; empty when there is none
  Span whole;  // key and value
};
std::vector<Tag> tags_of(const Line& line);
// The last value of `key` among the line's tags, unescaped; nullopt: there is no such tag.
std::optional<std::string> tag_value(const Line& line, std::span<const Tag> tags, std::string_view key);

// A tag value's text, with one segment for each run of octets that stands as it is (message-tags, "escaping values").
TextPart unescape_tag(const Line& line, Span value);

}  // namespace chancery::irc
