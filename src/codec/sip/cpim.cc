#include "codec/sip/cpim.h"

#include "codec/sip/message.h"
#include "codec/wire/charset.h"
#include "codec/wire/markup.h"
#include "core/time.h"

namespace chancery::sip {
namespace {

constexpr Bytes kEnd{"\r\n\r\n"};

std::string decoded(Bytes type, Bytes body) {
  const std::size_t at = type.find("charset=");
  if (at == Bytes::npos) return from_unstated(body);
  const Bytes charset = type.substr(at + 8);
  return same_word(charset.substr(0, 10), "iso-8859-1") ? from_windows_1252(body) : from_unstated(body);
}

}  // namespace

// Its headers, an empty line, the headers of the content, an empty line, the content.
std::optional<Cpim> parse_cpim(Bytes body) {
  const std::size_t first = body.find(kEnd);
  if (first == Bytes::npos) return std::nullopt;
  const std::size_t second = body.find(kEnd, first + kEnd.size());
  if (second == Bytes::npos) return std::nullopt;
  const Bytes outer = body.substr(0, first);
  const Bytes inner = body.substr(first + kEnd.size(), second - first - kEnd.size());
  Cpim cpim;
  cpim.from = address_of(find_field(outer, "From"));
  cpim.to = address_of(find_field(outer, "To"));
  cpim.time = parse_rfc3339(find_field(outer, "DateTime"));
  cpim.type = find_field(inner, "Content-Type");
  cpim.content = body.substr(second + kEnd.size());
  return cpim;
}

std::optional<Content> read_content(Bytes type, Bytes body) {
  Content content;
  if (same_word(trim(type.substr(0, type.find(';'))), "message/cpim")) {
    content.cpim = parse_cpim(body);
    if (!content.cpim) return std::nullopt;
    type = content.cpim->type;
    body = content.cpim->content;
  }
  const Bytes kind = trim(type.substr(0, type.find(';')));
  const bool html = same_word(kind, "text/html") || same_word(kind, "application/xhtml+xml");
  if (!html && !kind.empty() && !same_word(kind, "text/plain")) return std::nullopt;
  content.source = body;
  content.text = decoded(type, body);
  if (!html) return content;
  content.html = std::move(content.text);
  content.text = html_to_text(content.html);
  return content;
}

}  // namespace chancery::sip
