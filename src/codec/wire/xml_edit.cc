#include "codec/wire/xml_edit.h"

#include <algorithm>

#include "codec/wire/xml_chars.h"

namespace chancery::xml {
namespace {

std::string_view escaped(char c) {
  switch (c) {
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '&':
      return "&amp;";
    case '"':
      return "&quot;";
    case '\'':
      return "&apos;";
    case '\t':  // these three would be normalised to a space or a line feed (XML 1.0 §2.11, §3.3.3)
      return "&#9;";
    case '\n':
      return "&#10;";
    case '\r':
      return "&#13;";
    default:
      return {};
  }
}

}  // namespace

void escape_to(std::string_view text, Buffer& out) {
  constexpr std::string_view kReplacement = "\xef\xbf\xbd";
  const char* p = text.data();
  const char* const end = p + text.size();
  while (p != end) {
    const char* const begin = p;
    while (p != end && is_class(*p, kVerbatim)) ++p;
    out.append(begin, p);
    if (p == end) break;
    if (const auto octet = static_cast<std::uint8_t>(*p); octet < 0x80) {
      if (const std::string_view reference = escaped(*p); !reference.empty())
        out.append(reference);
      else if (octet >= 0x20)
        out.push_back(*p);
      else
        out.append(kReplacement);
      ++p;
      continue;
    }
    const Decoded decoded = decode_utf8(p, end);
    const bool good = decoded.size != 0 && is_char(decoded.code);
    if (good)
      out.append(p, decoded.size);
    else
      out.append(kReplacement);
    p += std::max(decoded.size, 1U);
  }
}

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  escape_to(text, out);
  return out;
}

void Editor::remove(const Attribute& attribute) {
  Span span = attribute.wire();
  while (span.begin > 0 && is_class(wire_[span.begin - 1], kSpace)) --span.begin;
  remove(span);
}

void Editor::append_child(const Element& element, Bytes octets) {
  if (!element.is_empty_tag()) return insert(element.inner().end, octets);
  // `<a x='y'/>` or `<a />`: its last two octets are `/>`.
  const Span tag = element.wire();
  Buffer content{">"};
  content.append(octets).append("</").append(element.qualified_name()).append(">");
  replace({tag.end - 2, tag.end}, content);
}

Buffer Editor::apply() const {
  std::vector<const Edit*> order;
  order.reserve(edits_.size());
  for (const Edit& edit : edits_) order.push_back(&edit);
  std::sort(order.begin(), order.end(), [](const Edit* a, const Edit* b) {
    if (a->span.begin != b->span.begin) return a->span.begin < b->span.begin;
    // Insertions stand before what is replaced at the same place.
    if ((a->span.size() == 0) != (b->span.size() == 0)) return a->span.size() == 0;
    if (a->span.size() != b->span.size()) return a->span.size() > b->span.size();
    return a < b;  // as they were made
  });
  Buffer out;
  out.reserve(wire_.size());
  std::uint32_t done = 0;
  for (const Edit* edit : order) {
    if (edit->span.begin < done) continue;
    out.append(wire_.substr(done, edit->span.begin - done)).append(edit->octets);
    done = edit->span.end;
  }
  return out.append(wire_.substr(done));
}

}  // namespace chancery::xml
