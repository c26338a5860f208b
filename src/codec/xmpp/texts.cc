#include "codec/xmpp/texts.h"

#include <algorithm>
#include <array>

#include "codec/xmpp/names.h"

namespace chancery::xmpp {
namespace {

std::uint32_t offset(std::size_t size) { return static_cast<std::uint32_t>(size); }

void append(std::string_view text, xml::Span wire, TextPart& part) {
  if (text.empty()) return;
  const std::uint32_t begin = offset(part.text.size());
  part.text.append(text);
  part.segments.push_back({begin, offset(part.text.size()), wire.begin, wire.end});
}

bool breaks_line(std::string_view name) {
  constexpr std::array<std::string_view, 14> kBlocks{"address", "blockquote", "br", "div", "h1", "h2", "h3",
                                                     "h4",      "h5",         "h6", "li",  "ol", "p",  "pre"};
  return std::ranges::binary_search(kBlocks, name) || name == "ul" || name == "dl" || name == "dt" || name == "dd";
}

// A line break has no octets of its own in the wire, so no segment covers it.
void break_line(TextPart& part) {
  if (!part.text.empty() && part.text.back() != '\n') part.text.push_back('\n');
}

void collect(const xml::Element& element, TextPart& part) {
  const bool xhtml = part.role == TextPart::Role::xhtml;
  const bool block = xhtml && breaks_line(element.name());
  if (block) break_line(part);
  if (xhtml) {
    for (const std::string_view name : {"alt", "title"}) {
      const xml::Attribute shown = element.find_attribute(name);
      if (!shown || shown.value().empty()) continue;
      break_line(part);
      append(shown.value(), shown.value_wire(), part);
      break_line(part);
    }
  }
  for (const xml::Node node : element.nodes()) {
    if (node.is_text())
      append(node.text().text(), node.text().wire(), part);
    else
      collect(node.element(), part);
  }
  if (block) break_line(part);
}

void add_part(TextPart&& part, Event& event) {
  if (!part.text.empty()) event.texts.push_back(std::move(part));
}

}  // namespace

void add_text(TextPart::Role role, const xml::Element& element, Event& event) {
  TextPart part;
  part.role = role;
  part.language = element.language();
  collect(element, part);
  add_part(std::move(part), event);
}

void add_attribute(TextPart::Role role, const xml::Element& element, const xml::Attribute& attribute, Event& event) {
  TextPart part;
  part.role = role;
  part.language = element.language();
  if (attribute) append(attribute.value(), attribute.value_wire(), part);
  add_part(std::move(part), event);
}

void add_nested_texts(const xml::Element& element, Event& event) {
  for (const xml::Element child : element.children()) {
    if (child.is("body", ns::kClient))
      add_text(TextPart::Role::body, child, event);
    else if (child.is("subject", ns::kClient))
      add_text(TextPart::Role::subject, child, event);
    else if (child.is("html", ns::kXhtmlIm))
      add_text(TextPart::Role::xhtml, child, event);
    else
      add_nested_texts(child, event);
  }
}

bool has_text(const xml::Element& element) {
  for (const xml::Node node : element.nodes()) {
    if (node.is_element()) {
      if (has_text(node.element())) return true;
    } else if (node.text().text().find_first_not_of(" \t\r\n") != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace chancery::xmpp
