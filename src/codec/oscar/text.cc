#include "codec/oscar/text.h"

#include <algorithm>
#include <utility>

#include "codec/wire/charset.h"
#include "codec/wire/markup.h"
#include "codec/wire/watched.h"

namespace chancery::oscar {

std::string from_icbm_encoding(Bytes octets, std::uint16_t encoding) {
  constexpr std::uint16_t kUtf16 = 2;
  constexpr std::uint16_t kLatin1 = 3;
  if (encoding == kUtf16) return from_utf16_be(octets);
  return encoding == kLatin1 ? from_windows_1252(octets) : from_unstated(octets);
}

std::string from_named_encoding(Bytes octets, Bytes encoding) {
  if (encoding.starts_with("unicode-2-0") || encoding == "utf-16" || encoding == "UTF-16BE")
    return from_utf16_be(octets);
  return encoding == "iso-8859-1" ? from_windows_1252(octets) : from_unstated(octets);
}

void add_text(Event& event, const Unit& unit, Bytes source, std::string text) {
  while (text.ends_with('\0')) text.pop_back();
  if (!has_html(text)) {
    event.texts.push_back(text_part(unit, source, std::move(text)));
    return;
  }
  event.texts.push_back(text_part(unit, source, html_to_text(text)));
  event.texts.push_back(text_part(unit, source, std::move(text), TextPart::Role::xhtml));
}

void add_icq_text(Event& event, const Unit& unit, Bytes source) {
  const Bytes text = source.substr(0, source.find('\0'));
  std::string decoded;
  for (std::size_t at = 0;;) {
    const std::size_t end = std::min(text.find('\xfe', at), text.size());
    decoded += from_unstated(text.substr(at, end - at));
    if (end == text.size()) break;
    decoded += '\n';
    at = end + 1;
  }
  add_text(event, unit, text, std::move(decoded));
}

}  // namespace chancery::oscar
