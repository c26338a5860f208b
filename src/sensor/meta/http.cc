#include "sensor/meta/http.h"

#include <algorithm>
#include <array>

#include "sensor/meta/octets.h"

namespace chancery::sensor {
namespace {

constexpr std::size_t kMethodMax = 24;   // the longest registered is 17
constexpr std::size_t kLineMax = 8'192;  // a first line longer than this is none

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

Bytes trim(Bytes text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == Bytes::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool is_method(Bytes word) {
  return !word.empty() && word.size() <= kMethodMax &&
         std::ranges::all_of(word, [](char c) { return (c >= 'A' && c <= 'Z') || c == '-' || c == '_'; });
}

// "HTTP/1.1"; other protocols (RTSP, SIP, ICAP) have the same lines with another word.
bool is_version(Bytes word) { return word.size() == 8 && word.starts_with("HTTP/") && word[6] == '.'; }

bool read_first_line(Bytes line, HttpHead& out) {
  if (line.starts_with("HTTP/")) {
    if (line.size() < 12 || !is_version(line.substr(0, 8)) || line[8] != ' ') return false;
    for (const char c : line.substr(9, 3)) {
      if (c < '0' || c > '9') return false;
      out.status = static_cast<std::uint16_t>(out.status * 10 + (c - '0'));
    }
    return out.status >= 100;
  }
  const auto first = line.find(' '), last = line.rfind(' ');
  if (first == Bytes::npos || last <= first + 1) return false;
  out.request = true;
  out.method = line.substr(0, first);
  out.target = line.substr(first + 1, last - first - 1);
  return is_method(out.method) && is_version(line.substr(last + 1));
}

struct Field {
  Bytes name;
  Bytes HttpHead::* value;
};
constexpr std::array kFields = std::to_array<Field>({{"host", &HttpHead::host},
                                                     {"user-agent", &HttpHead::user_agent},
                                                     {"upgrade", &HttpHead::upgrade},
                                                     {"content-type", &HttpHead::content_type},
                                                     {"sec-websocket-protocol", &HttpHead::subprotocol},
                                                     {"server", &HttpHead::server},
                                                     {"accept", &HttpHead::accept},
                                                     {"origin", &HttpHead::origin}});

void read_field(Bytes line, HttpHead& out) {
  const auto colon = line.find(':');
  if (colon == Bytes::npos) return;
  const Bytes name = line.substr(0, colon), value = trim(line.substr(colon + 1));
  for (const Field& field : kFields)
    if (equals_ignoring_case(name, field.name) && (out.*field.value).empty()) out.*field.value = value;
  if (contains_ignoring_case(name.substr(0, 16), "x-gnutella") || equals_ignoring_case(name, "x-try-ultrapeers"))
    out.gnutella = true;
}

// Is the begin of a line that has no end yet still that of a first line?
Parsed judge_unfinished(Bytes octets) {
  if (octets.size() > kLineMax) return Parsed::no;
  constexpr Bytes kStatusLine = "HTTP/";
  if (kStatusLine.starts_with(octets.substr(0, kStatusLine.size()))) return Parsed::need_more;
  const auto space = octets.find(' ');
  return is_method(octets.substr(0, space)) ? Parsed::need_more : Parsed::no;
}

}  // namespace

bool equals_ignoring_case(Bytes a, Bytes b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool contains_ignoring_case(Bytes text, Bytes part) {
  return !std::ranges::search(text, part, [](char x, char y) { return lower(x) == lower(y); }).empty();
}

Parsed parse_http(Bytes octets, HttpHead& out) {
  out = {};
  if (octets.empty()) return Parsed::need_more;
  std::size_t at = 0;
  for (std::size_t lines = 0; lines < kHttpLinesMax; ++lines) {
    const auto end = octets.substr(0, at + kLineMax).find('\n', at);
    if (end == Bytes::npos) {
      if (lines == 0) return judge_unfinished(octets);
      break;
    }
    Bytes line = octets.substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    at = end + 1;
    if (lines == 0) {
      if (!read_first_line(line, out)) return Parsed::no;
    } else if (line.empty()) {
      out.complete = true;
      break;
    } else {
      read_field(line, out);
    }
  }
  out.size = at;
  return Parsed::yes;
}

std::string http_host(const HttpHead& head) {
  Bytes host = head.host;
  if (head.method == "CONNECT") {
    host = head.target;
  } else if (const auto scheme = head.target.find("://"); scheme != Bytes::npos && scheme < 8) {
    host = head.target.substr(scheme + 3);
    host = host.substr(0, host.find('/'));
  }
  host = host.substr(0, host.find(':'));
  std::string name = normal_host(host);
  if (name.find_first_not_of("0123456789.") == std::string::npos) return {};  // an address
  return name;
}

Parsed parse_websocket_frame(Bytes octets, WebSocketFrame& out) {
  if (octets.empty()) return Parsed::need_more;
  const std::uint8_t first = octet(octets, 0);
  out = {};
  out.opcode = first & 0xf;
  const bool control = out.opcode >= 8;
  // RSV1 is set by per-message compression (RFC 7692), and never on control frames.
  if ((first & 0x30) != 0 || out.opcode > 10 || (out.opcode > 2 && out.opcode < 8)) return Parsed::no;
  if (control && (first & 0xc0) != 0x80) return Parsed::no;
  if (octets.size() < 2) return Parsed::need_more;
  const std::uint8_t second = octet(octets, 1);
  out.masked = (second & 0x80) != 0;
  out.payload_size = second & 0x7f;
  out.head_size = 2;
  if (control && out.payload_size > 125) return Parsed::no;
  if (out.payload_size == 126) {
    if (octets.size() < 4) return Parsed::need_more;
    out.payload_size = be16(octets, 2);
    out.head_size = 4;
    if (out.payload_size < 126) return Parsed::no;
  } else if (out.payload_size == 127) {
    if (octets.size() < 10) return Parsed::need_more;
    out.payload_size = static_cast<std::uint64_t>(be32(octets, 2)) << 32 | be32(octets, 6);
    out.head_size = 10;
    if (out.payload_size < 65'536 || out.payload_size >> 63 != 0) return Parsed::no;
  }
  if (out.masked) out.head_size += 4;
  return Parsed::yes;
}

}  // namespace chancery::sensor
