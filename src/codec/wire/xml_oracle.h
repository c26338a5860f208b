#pragma once
// Test-only: what our scanner and what expat make of the same octets, as lines of text to be compared. Used by the
// tests and by the differential fuzz target.
#include <algorithm>
#include <array>
#include <expat.h>
#include <random>
#include <string>
#include <vector>

#include "codec/wire/xml.h"

namespace chancery::xml::oracle {

struct Outcome {
  std::string events;     // one line each: `(name|namespace`, ` name|namespace=value`, `"text`, `)`
  std::string pieces;     // scanner only: kinds and wires
  bool complete = false;  // a well-formed whole
  std::error_code error;  // scanner only
  bool same_as(const Outcome& o) const {
    return events == o.events && pieces == o.pieces && complete == o.complete && error == o.error;
  }
};

inline void add_name(std::string& out, std::string_view name, std::string_view ns) {
  out.append(name).append("|").append(ns);
}

inline void add_text(std::string& out, std::string_view text) {
  if (text.empty()) return;
  const std::size_t line = out.rfind('\n', out.size() - 2);  // \n inside of text is written as \v: no XML Char
  if (out.size() >= 2 && out[line + 1] == '"')
    out.pop_back();
  else
    out.push_back('"');
  for (const char c : text) out.push_back(c == '\n' ? '\v' : c);
  out.push_back('\n');
}

inline void add_tag(std::string& out, const Element& element) {
  add_name(out.append("("), element.name(), element.ns());
  out.push_back('\n');
  for (std::size_t i = 0; i < element.attribute_count(); ++i) {
    const Attribute attribute = element.attribute_at(i);
    add_name(out.append(" "), attribute.name(), attribute.ns());
    out.push_back('=');
    for (const char c : attribute.value()) out.push_back(c == '\n' ? '\v' : c);
    out.push_back('\n');
  }
}

inline void add_element(std::string& out, const Element& element) {
  add_tag(out, element);
  for (const Node node : element.nodes()) {
    if (node.is_element())
      add_element(out, node.element());
    else
      add_text(out, node.text().text());
  }
  out.append(")\n");
}

// How the octets are cut: everything at once, one at a time, or at random.
enum class Cut { whole, bytewise, random };

inline Outcome scan(Bytes octets, const Limits& limits, Cut cut = Cut::whole, std::uint64_t seed = 0) {
  Scanner scanner(limits);
  Outcome outcome;
  std::mt19937_64 random(seed);
  while (!octets.empty() && !scanner.error()) {
    std::size_t size = cut == Cut::whole ? octets.size() : 1;
    if (cut == Cut::random) size = std::min<std::size_t>(octets.size(), 1 + random() % (1U << random() % 10));
    const std::string chunk(octets.substr(0, size));  // a copy: reads beyond it are found by the sanitizer
    octets.remove_prefix(size);
    scanner.feed(chunk);
    while (const std::optional<Item> item = scanner.next()) {
      outcome.pieces += std::to_string(static_cast<int>(item->kind)) + std::string(item->wire) + "\n";
      if (item->kind == Item::Kind::open) add_tag(outcome.events, item->element);
      if (item->kind == Item::Kind::stanza) add_element(outcome.events, item->element);
      if (item->kind == Item::Kind::close) outcome.events.append(")\n");
    }
  }
  outcome.error = scanner.error();
  outcome.complete = !scanner.finish();
  return outcome;
}

// expat with namespaces. Text directly in the stream is left out: the scanner takes only white space there.
class Expat {
 public:
  static Outcome parse(Bytes octets) {
    Expat expat;
    const XML_Parser parser = XML_ParserCreateNS("UTF-8", kSeparator);
    XML_SetUserData(parser, &expat);
    XML_SetElementHandler(parser, start, end);
    XML_SetCharacterDataHandler(parser, text);
    expat.outcome_.complete =
        XML_Parse(parser, octets.data(), static_cast<int>(octets.size()), XML_TRUE) == XML_STATUS_OK;
    XML_ParserFree(parser);
    return expat.outcome_;
  }

 private:
  static constexpr char kSeparator = '\x01';  // no XML Char

  static void name(std::string& out, std::string_view expanded) {
    const std::size_t at = expanded.find(kSeparator);
    if (at == std::string_view::npos)
      add_name(out, expanded, {});
    else
      add_name(out, expanded.substr(at + 1), expanded.substr(0, at));
  }
  static void start(void* self, const XML_Char* element, const XML_Char** attributes) {
    auto& expat = *static_cast<Expat*>(self);
    std::string& out = expat.outcome_.events;
    ++expat.depth_;
    name(out.append("("), element);
    out.push_back('\n');
    for (; *attributes; attributes += 2) {
      name(out.append(" "), attributes[0]);
      out.push_back('=');
      for (const char c : std::string_view(attributes[1])) out.push_back(c == '\n' ? '\v' : c);
      out.push_back('\n');
    }
  }
  static void end(void* self, const XML_Char*) {
    auto& expat = *static_cast<Expat*>(self);
    --expat.depth_;
    expat.outcome_.events.append(")\n");
  }
  static void text(void* self, const XML_Char* data, int size) {
    auto& expat = *static_cast<Expat*>(self);
    if (expat.depth_ > 1) add_text(expat.outcome_.events, {data, static_cast<std::size_t>(size)});
  }

  Outcome outcome_;
  int depth_ = 0;
};

}  // namespace chancery::xml::oracle
