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
    } else {
      return std::unexpected(fmt::format("unknown escape \\{}", letter));
    }
  }
  return out;
}

}  // namespace chancery::testing
