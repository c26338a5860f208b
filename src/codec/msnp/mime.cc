#include "codec/msnp/mime.h"

#include <algorithm>

namespace chancery::msnp {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same(Bytes a, Bytes b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

Bytes trim(Bytes text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == Bytes::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

Bytes find_header(Bytes lines, std::string_view name) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const Bytes line = lines.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon != Bytes::npos && same(trim(line.substr(0, colon)), name)) return trim(line.substr(colon + 1));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return {};
}

Bytes Mime::header(std::string_view name) const { return find_header(headers, name); }

Bytes Mime::type() const {
  const Bytes value = header("Content-Type");
  return trim(value.substr(0, value.find(';')));
}

Mime parse_mime(Bytes payload) {
  const std::size_t end = payload.find("\r\n\r\n");
  if (end == Bytes::npos) return {payload, {}};
  return {payload.substr(0, end), payload.substr(end + 4)};
}

}  // namespace chancery::msnp
