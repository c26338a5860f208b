#include "codec/sip/message.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "codec/wire/charset.h"

namespace chancery::sip {
namespace {

constexpr Bytes kVersion{"SIP/2.0"};
constexpr Bytes kHeadersEnd{"\r\n\r\n"};
constexpr std::size_t kStartLineMax = 4096;
constexpr std::size_t kMethodMax = 16;

constexpr auto kMethods = std::to_array<Bytes>({"MESSAGE", "REGISTER", "INVITE", "ACK", "BYE", "CANCEL", "OPTIONS",
                                                "SUBSCRIBE", "NOTIFY", "PUBLISH", "INFO", "REFER", "UPDATE", "PRACK"});

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// "SIP/2.0 200 OK" or "MESSAGE sip:bob@im.test SIP/2.0"; `line` may still be growing.
Likeness is_start_line(Bytes octets) {
  if (octets[0] < 'A' || octets[0] > 'U') return Likeness::no;
  if (kVersion.starts_with(octets.substr(0, kVersion.size()))) {
    if (octets.size() < kVersion.size() + 4) return Likeness::need_more;
    const Bytes status = octets.substr(kVersion.size(), 4);
    return status[0] == ' ' && status.find_first_not_of("0123456789", 1) == Bytes::npos ? Likeness::yes : Likeness::no;
  }
  const std::size_t space = octets.substr(0, kMethodMax).find(' ');
  const Bytes method = octets.substr(0, space == Bytes::npos ? kMethodMax : space);
  const bool known = std::ranges::any_of(kMethods, [&](Bytes each) {
    return each.front() == method.front() && (space == Bytes::npos ? each.starts_with(method) : each == method);
  });
  if (!known) return Likeness::no;
  if (space == Bytes::npos) return Likeness::need_more;
  const Bytes line = octets.substr(0, kStartLineMax);
  const std::size_t end = line.find("\r\n");
  if (end == Bytes::npos) return octets.size() < kStartLineMax ? Likeness::need_more : Likeness::no;
  return line.substr(0, end).ends_with(" SIP/2.0") ? Likeness::yes : Likeness::no;
}

std::size_t length_of(Bytes digits) {
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  constexpr std::size_t kLengthMax = 1'000'000'000;
  return error == std::errc{} ? std::min(length, kLengthMax) : 0;
}

// Line ends between messages keep a connection alive (RFC 5626 §4.4.1).
Measured measure(Side /*from*/, Bytes octets, std::size_t /*seen*/) {
  if (octets[0] == '\r')
    return octets.size() < 2 ? Measured::more(2) : octets[1] == '\n' ? Measured::frame(2) : Measured::wrong();
  if (is_start_line(octets) == Likeness::no) return Measured::wrong();
  const std::size_t end = octets.substr(0, kHeaderMax + kHeadersEnd.size()).find(kHeadersEnd);
  if (end == Bytes::npos)
    return octets.size() >= kHeaderMax + kHeadersEnd.size() ? Measured::wrong() : Measured::more(octets.size() + 1);
  const Bytes headers = octets.substr(0, end + 2);
  return Measured::frame(end + kHeadersEnd.size() + length_of(find_field(headers, "Content-Length", "l")));
}

Likeness begins(Side /*from*/, Bytes octets) { return is_start_line(octets); }

}  // namespace

const Framing kFraming{measure, begins};

bool same_word(Bytes a, Bytes b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

Bytes trim(Bytes text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == Bytes::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

Bytes find_field(Bytes lines, std::string_view name, std::string_view compact) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const Bytes line = lines.substr(0, end);
    const std::size_t colon = line.find(':');
    const Bytes key = colon == Bytes::npos ? Bytes{} : trim(line.substr(0, colon));
    if (!key.empty() && (same_word(key, name) || (!compact.empty() && same_word(key, compact))))
      return trim(line.substr(colon + 1));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return {};
}

Bytes Message::field(std::string_view name, std::string_view compact) const {
  return find_field(headers, name, compact);
}

Bytes Message::method() const {
  return start_line.starts_with(kVersion) ? Bytes{} : start_line.substr(0, start_line.find(' '));
}

int Message::status() const {
  if (!start_line.starts_with(kVersion) || start_line.size() < kVersion.size() + 4) return 0;
  return static_cast<int>(length_of(start_line.substr(kVersion.size() + 1, 3)));
}

Message parse_message(Bytes wire) {
  Message message;
  const std::size_t line = std::min(wire.find('\n'), wire.size());
  message.start_line = trim(wire.substr(0, line));
  const std::size_t end = wire.find(kHeadersEnd);
  const std::size_t begin = std::min(line + 1, wire.size());
  if (end == Bytes::npos || end < line) {
    message.headers = wire.substr(begin);
    return message;
  }
  message.headers = end > begin ? wire.substr(begin, end - begin) : Bytes{};
  message.body = wire.substr(end + kHeadersEnd.size());
  // A datagram may hold more than the message; a stream's frame never does (RFC 3261 §18.3).
  if (const Bytes length = message.field("Content-Length", "l"); !length.empty())
    message.body = message.body.substr(0, length_of(length));
  return message;
}

std::string address_of(Bytes value) {
  const std::size_t open = value.rfind('<');
  if (open != Bytes::npos) value = value.substr(open + 1, value.find('>', open) - open - 1);
  const std::size_t scheme = value.find(':');
  if (scheme != Bytes::npos && value.substr(0, scheme).find('@') == Bytes::npos) value.remove_prefix(scheme + 1);
  return from_unstated(trim(value.substr(0, value.find_first_of(";?>, "))));
}

}  // namespace chancery::sip
