#include "sensor/read/web_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/utf8.h"

namespace chancery::sensor {
namespace {

constexpr int kDepthMax = 8;

constexpr std::array<std::string_view, 5> kText{"text", "message", "msg", "body", "content"};
constexpr std::array<std::string_view, 8> kFrom{"from",     "user",   "username", "nick",
                                                "nickname", "sender", "author",   "name"};
constexpr std::array<std::string_view, 4> kTo{"to", "room", "channel", "recipient"};

template <std::size_t Size>
bool is_one_of(std::string_view name, const std::array<std::string_view, Size>& names) {
  return std::ranges::find(names, name) != names.end();
}

void append_code_point(std::string& out, std::uint32_t point) {
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xc0U | point >> 6U);
    out += static_cast<char>(0x80U | (point & 0x3fU));
  } else if (point < 0x10000) {
    out += static_cast<char>(0xe0U | point >> 12U);
    out += static_cast<char>(0x80U | (point >> 6U & 0x3fU));
    out += static_cast<char>(0x80U | (point & 0x3fU));
  } else {
    out += static_cast<char>(0xf0U | point >> 18U);
    out += static_cast<char>(0x80U | (point >> 12U & 0x3fU));
    out += static_cast<char>(0x80U | (point >> 6U & 0x3fU));
    out += static_cast<char>(0x80U | (point & 0x3fU));
  }
}

// Walks over JSON (RFC 8259) leniently: what is not JSON ends the walk, and what was found until then counts.
class Walker {
 public:
  explicit Walker(std::string_view json) : rest_(json) {}

  bool value(WebText& found, std::string_view name, int depth) {
    skip_space();
    if (rest_.empty() || depth > kDepthMax) return false;
    if (rest_.front() == '{') return members(found, depth);
    if (rest_.front() == '[') return items(found, depth);
    if (rest_.front() != '"') return scalar();
    std::string text;
    if (!string(text)) return false;
    if (is_one_of(name, kText) && found.text.empty())
      found.text = std::move(text);
    else if (is_one_of(name, kFrom) && found.from.empty())
      found.from = std::move(text);
    else if (is_one_of(name, kTo) && found.to.empty())
      found.to = std::move(text);
    return true;
  }
  bool at_end() {
    skip_space();
    return rest_.empty();
  }

 private:
  bool members(WebText& found, int depth) {
    rest_.remove_prefix(1);
    for (bool first = true;; first = false) {
      skip_space();
      if (take('}')) return true;
      if (!first && !take(',')) return false;
      skip_space();
      std::string name;
      if (!string(name)) return false;
      skip_space();
      if (!take(':') || !value(found, name, depth + 1)) return false;
    }
  }
  bool items(WebText& found, int depth) {
    rest_.remove_prefix(1);
    for (bool first = true;; first = false) {
      skip_space();
      if (take(']')) return true;
      if (!first && !take(',')) return false;
      if (!value(found, {}, depth + 1)) return false;
    }
  }
  bool scalar() {
    const std::size_t size = std::min(rest_.find_first_of(",]} \t\r\n"), rest_.size());
    if (size == 0) return false;
    rest_.remove_prefix(size);
    return true;
  }
  bool string(std::string& out) {
    if (!take('"')) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c != '\\') {
        out += c;
        continue;
      }
      if (rest_.empty()) return false;
      const char escaped = rest_.front();
      rest_.remove_prefix(1);
      constexpr std::string_view kEscaped = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
      if (const std::size_t at = kEscaped.find(escaped); at != kEscaped.npos)
        out += kMeant[at];
      else if (escaped != 'u' || !unicode(out))
        return false;
    }
    return false;
  }
  bool four_digits(std::uint32_t& value) {
    value = 0;
    if (rest_.size() < 4) return false;
    for (const char c : rest_.substr(0, 4)) {
      const std::size_t digit =
          std::string_view{"0123456789abcdef"}.find(static_cast<char>(c >= 'A' && c <= 'F' ? c + 32 : c));
      if (digit == std::string_view::npos) return false;
      value = value << 4U | static_cast<std::uint32_t>(digit);
    }
    rest_.remove_prefix(4);
    return true;
  }
  bool unicode(std::string& out) {
    std::uint32_t point = 0, low = 0;
    if (!four_digits(point)) return false;
    if (point >= 0xd800 && point < 0xdc00 && rest_.starts_with("\\u")) {
      rest_.remove_prefix(2);
      if (!four_digits(low)) return false;
      point = 0x10000 + ((point - 0xd800) << 10U) + (low - 0xdc00);
    }
    append_code_point(out, point);
    return true;
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  std::string_view rest_;
};

bool has_letter(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
  });
}

bool is_printable(std::string_view text) {
  return is_utf8(text) && std::ranges::none_of(text, [](char c) {
           const auto u = static_cast<unsigned char>(c);
           return (u < 0x20 && c != '\n' && c != '\r' && c != '\t') || u == 0x7f;
         });
}

}  // namespace

std::optional<WebText> read_web_text(std::string_view message) {
  const std::size_t begin = message.find_first_not_of("0123456789");  // Socket.IO: "42[…]"
  if (begin == message.npos || !is_printable(message)) return std::nullopt;
  const std::string_view rest = message.substr(begin);
  if (rest.front() == '{' || rest.front() == '[') {
    WebText found;
    Walker walker{rest};
    if (!walker.value(found, {}, 0) || !walker.at_end() || found.text.empty()) return std::nullopt;
    found.text = to_utf8_lossy(found.text);
    return found;
  }
  if (rest.front() == '<' || !has_letter(message)) return std::nullopt;
  return WebText{std::string{message}, {}, {}};
}

}  // namespace chancery::sensor
