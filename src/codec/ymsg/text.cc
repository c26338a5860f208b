#include "codec/ymsg/text.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "codec/wire/charset.h"
#include "codec/wire/markup.h"
#include "codec/wire/watched.h"

namespace chancery::ymsg {
namespace {

constexpr std::size_t kEscapeMax = 16;  // "\x1b[#ff0000m", "\x1b[x1m"

constexpr auto kTags = std::to_array<std::string_view>(
    {"font", "fade",  "alt",  "b",       "i",      "u",    "s",      "snd=", "#",      "black", "blue",
     "cyan", "green", "gray", "magenta", "orange", "pink", "purple", "red",  "yellow", "white"});

std::string without_escapes(Bytes text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t next = std::min(text.find("\x1b["), text.size());
    out += text.substr(0, next);
    text.remove_prefix(next);
    if (text.empty()) break;
    const std::size_t end = text.substr(0, kEscapeMax).find('m');
    if (end == Bytes::npos) out += text.substr(0, 2);
    text.remove_prefix(end == Bytes::npos ? 2 : end + 1);
  }
  return out;
}

}  // namespace

std::string decoded(Bytes octets) { return from_unstated(octets); }

std::string without_markup(const std::string& text) { return without_tags(without_escapes(text), kTags); }

void add_text(Event& event, const Unit& unit, Bytes source) {
  std::string text = decoded(source);
  std::string plain = without_markup(text);
  const bool marked = plain != text;
  event.texts.push_back(text_part(unit, source, std::move(plain)));
  if (marked) event.texts.push_back(text_part(unit, source, std::move(text), TextPart::Role::xhtml));
}

}  // namespace chancery::ymsg
