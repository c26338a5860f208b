#include "codec/testing/escape.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <fmt/format.h>
#include <optional>
#include <system_error>

#include "core/encoding.h"
#include "core/utf8.h"

namespace chancery::testing {
namespace {

constexpr std::size_t kRepeatMax = 1U << 24;  // octets that one `\*N{…}` may become

// Length of the well-formed UTF-8 sequence at the start of `octets`; 0: there is none.
std::size_t utf8_length(Bytes octets) {
  for (std::size_t length = 1; length <= 4 && length <= octets.size(); ++length)
    if (is_utf8(octets.substr(0, length))) return length;
  return 0;
}

void append_escaped(std::string& out, char octet) {
  switch (octet) {
    case '\r':
      out += "\\r";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\\':
      out += "\\\\";
      return;
    default:
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(octet));
  }
}

std::string escape_with(Bytes octets, bool quoted) {
  std::string out;
  while (!octets.empty()) {
    const char first = octets.front();
    const std::size_t length = utf8_length(octets);
    const bool control = static_cast<unsigned char>(first) < 0x20 || first == 0x7f || first == '\\';
    const bool last_space = first == ' ' && octets.size() == 1 && !quoted;
    if (quoted && first == '"') {
      out += "\\\"";
    } else if (length == 0 || control || last_space) {
      append_escaped(out, first);
    } else {
      out += octets.substr(0, length);
      octets.remove_prefix(length);
      continue;
    }
    octets.remove_prefix(1);
  }
  return out;
}

// `\*N{…}`: `rest` begins after the `*`; on success it is moved past the brace.
std::expected<Buffer, std::string> unescape_repeat(std::string_view& rest) {
  std::size_t times = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), times);
  if (error != std::errc{} || end == rest.data() + rest.size() || *end != '{')
    return std::unexpected("\\* is followed by a number and {…}");
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()) + 1);
  const std::size_t close = rest.find('}');
  if (close == std::string_view::npos) return std::unexpected("\\*N{ without }");
  auto inner = unescape(rest.substr(0, close));
  if (!inner) return inner;
  if (inner->size() * times > kRepeatMax) return std::unexpected("\\*N{…} becomes too large");
  rest.remove_prefix(close + 1);
  Buffer out;
  out.reserve(inner->size() * times);
  for (std::size_t i = 0; i < times; ++i) out += *inner;
  return out;
}

// The text in the braces at the start of `rest`, which is moved past them. Braces inside are counted.
std::expected<std::string_view, std::string> take_braced(std::string_view& rest) {
  if (!rest.starts_with('{')) return std::unexpected("a { is expected");
  std::size_t depth = 0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '{') ++depth;
    if (rest[i] != '}' || --depth > 0) continue;
    const std::string_view inner = rest.substr(1, i - 1);
    rest.remove_prefix(i + 1);
    return inner;
  }
  return std::unexpected("a { without its }");
}

std::size_t take_number(std::string_view& rest) {
  std::size_t value = 0;
  while (!rest.empty() && rest.front() >= '0' && rest.front() <= '9') {
    value = value * 10 + static_cast<std::size_t>(rest.front() - '0');
    rest.remove_prefix(1);
  }
  return value;
}

// `\#N{…}`, `\~N{…}`, `\#N-M{…}`: how long the octets in braces are (less M), in N octets, and the octets.
// N = 0: as a decimal number and CR LF.
std::expected<Buffer, std::string> unescape_block(std::string_view& rest, bool big_endian) {
  const std::size_t width = take_number(rest);
  std::size_t less = 0;
  if (rest.starts_with('-')) {
    rest.remove_prefix(1);
    less = take_number(rest);
  }
  if (width > 4) return std::unexpected("a length has at most 4 octets");
  const auto braced = take_braced(rest);
  if (!braced) return std::unexpected(braced.error());
  auto inner = unescape(*braced);
  if (!inner) return inner;
  if (inner->size() < less) return std::unexpected("a block shorter than what is taken off its length");
  const std::size_t size = inner->size() - less;
  if (width == 0) return fmt::format("{}\r\n{}", size, *inner);
  Buffer out;
  for (std::size_t i = 0; i < width; ++i) out += static_cast<char>(size >> 8 * (big_endian ? width - 1 - i : i) & 0xff);
  return out + *inner;
}

// `\h{00 2a}`: hexadecimal, spaces ignored.
std::expected<Buffer, std::string> unescape_hex(std::string_view& rest) {
  const auto braced = take_braced(rest);
  if (!braced) return std::unexpected(braced.error());
  std::string digits{*braced};
  std::erase(digits, ' ');
  auto octets = from_hex(digits);
  if (!octets) return std::unexpected("\\h{…} holds pairs of hexadecimal digits");
  return std::move(*octets);
}

// `\U{…}`, `\L{…}`: UTF-16, big and little endian. Only what is in the basic plane.
std::expected<Buffer, std::string> unescape_utf16(std::string_view& rest, bool big_endian) {
  const auto braced = take_braced(rest);
  if (!braced) return std::unexpected(braced.error());
  const auto text = unescape(*braced);
  if (!text) return text;
  Buffer out;
  for (std::size_t i = 0; i < text->size();) {
    const auto at = [&](std::size_t k) { return static_cast<unsigned>(static_cast<unsigned char>((*text)[i + k])); };
    const std::size_t size = at(0) < 0x80 ? 1 : at(0) < 0xe0 ? 2 : 3;
    if (i + size > text->size() || at(0) >= 0xf0) return std::unexpected("not a character of the basic plane");
    unsigned unit = size == 1 ? at(0) : size == 2 ? at(0) & 0x1f : at(0) & 0x0f;
    for (std::size_t k = 1; k < size; ++k) unit = unit << 6 | (at(k) & 0x3f);
    const auto high = static_cast<char>(unit >> 8);
    const auto low = static_cast<char>(unit & 0xff);
    out += big_endian ? high : low;
    out += big_endian ? low : high;
    i += size;
  }
  return out;
}

std::optional<std::expected<Buffer, std::string>> unescape_binary(char letter, std::string_view& rest) {
  if (letter == '#' || letter == '~') return unescape_block(rest, letter == '#');
  if (letter == 'h') return unescape_hex(rest);
  if (letter == 'U' || letter == 'L') return unescape_utf16(rest, letter == 'U');
  if (letter == ';') return Buffer{"\xc0\x80"};
  return std::nullopt;
}

std::optional<char> unescape_simple(char letter) {
  switch (letter) {
    case 'r':
      return '\r';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '\\':
    case '"':
      return letter;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string escape(Bytes octets) { return escape_with(octets, false); }

std::string quote(Bytes octets) { return '"' + escape_with(octets, true) + '"'; }

std::string word(Bytes octets) {
  const auto plain = [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7f && std::string_view{"\"\\=[]{}"}.find(c) == Bytes::npos;
  };
  for (const char c : octets)
    if (!plain(c)) return quote(octets);
  return octets.empty() || !is_utf8(octets) ? quote(octets) : std::string{octets};
}

std::expected<Buffer, std::string> unescape(std::string_view text) {
  Buffer out;
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('\\'), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    if (text.size() < 2) return std::unexpected("a \\ at the end of the line");
    const char letter = text[1];
    text.remove_prefix(2);
    if (const auto simple = unescape_simple(letter)) {
      out += *simple;
    } else if (letter == 'x') {
      const auto octet = from_hex(text.substr(0, 2));
      if (!octet || octet->size() != 1) return std::unexpected("\\x is followed by two hexadecimal digits");
      out += *octet;
      text.remove_prefix(2);
    } else if (letter == '*') {
      const auto repeated = unescape_repeat(text);
      if (!repeated) return repeated;
      out += *repeated;
    } else if (const auto binary = unescape_binary(letter, text)) {
      if (!*binary) return *binary;
      out += **binary;
    } else {
      return std::unexpected(fmt::format("unknown escape \\{}", letter));
    }
  }
  return out;
}

}  // namespace chancery::testing
