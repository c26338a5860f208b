// Differential: the scanner against expat, and the scanner against itself in other chunks.
//
// We accept exactly what expat accepts, except what xml.h says is restricted, limited or at the wrong place; and
// whatever we deliver before an error, expat reports likewise. Two known differences are left out: expat follows the
// fourth edition of XML 1.0 in names beyond ASCII, and takes a byte order mark (RFC 6120 §11.6 does not).
#include <cstdio>
#include <cstdlib>

#include "codec/wire/xml_oracle.h"

namespace {

using namespace chancery;
using namespace chancery::xml;

void demand(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "xml_fuzz: %s\n", what);
  std::abort();
}

bool has_wide_name(const std::string& events) {
  for (std::size_t line = 0; line < events.size(); line = events.find('\n', line) + 1) {
    if (events[line] != '(' && events[line] != ' ') continue;
    for (std::size_t i = line; events[i] != '|'; ++i)
      if (static_cast<unsigned char>(events[i]) >= 0x80) return true;
  }
  return false;
}

// An undeclared or wide prefix is not in the events; look at the markup itself, coarsely.
bool may_have_wide_name(Bytes octets) {
  bool in_tag = false;
  char quote = 0;
  for (const char c : octets) {
    if (static_cast<unsigned char>(c) >= 0x80 && in_tag && quote == 0) return true;
    if (c == '<') in_tag = true, quote = 0;
    if (!in_tag) continue;
    if (c == quote)
      quote = 0;
    else if (quote == 0 && (c == '"' || c == '\''))
      quote = c;
    else if (quote == 0 && c == '>')
      in_tag = false;
  }
  return false;
}

// What the scanner refuses although it is well-formed.
bool stated(std::error_code error) { return error != CodecError::malformed && error != CodecError::not_utf8 && error; }

bool in_declaration(const oracle::Outcome& ours) { return ours.pieces.empty(); }

void compare_with_expat(Bytes octets, const oracle::Outcome& ours) {
  if (octets.starts_with("\xef\xbb\xbf") || may_have_wide_name(octets)) return;
  const oracle::Outcome theirs = oracle::Expat::parse(octets);
  if (has_wide_name(ours.events) || has_wide_name(theirs.events)) return;
  demand(theirs.events.starts_with(ours.events), "an event that expat does not report");
  if (ours.complete) {
    demand(theirs.complete, "accepted, but expat refuses");
    demand(ours.events == theirs.events, "expat reports more");
  } else if (!stated(ours.error) && !(octets.starts_with("<?") && in_declaration(ours))) {
    demand(!theirs.complete, "refused, but expat accepts");
  }
}

// Parsing a stanza again gives the same; writing its own texts and values into it changes nothing that can be read.
void edit_stanzas(Bytes octets, const Limits& limits) {
  Scanner scanner(limits);
  scanner.feed(octets);
  while (const std::optional<Item> item = scanner.next()) {
    if (item->kind != Item::Kind::stanza) continue;
    std::string expected;
    oracle::add_element(expected, item->element);
    Editor editor(item->wire);
    demand(editor.apply() == item->wire, "an editor without edits changes octets");
    const auto visit = [&](const auto& self, const Element& element) -> void {
      demand(element.source().starts_with('<') && element.source().ends_with('>'), "an element's span");
      for (std::size_t i = 0; i < element.attribute_count(); ++i)
        editor.set_value(element.attribute_at(i), element.attribute_at(i).value());
      for (const Node node : element.nodes())
        node.is_element() ? self(self, node.element()) : editor.set_text(node.text(), node.text().text());
    };
    visit(visit, item->element);
    const Buffer edited = editor.apply();
    if (edited.size() > limits.unit_size_max) continue;
    Tree tree;
    demand(!scanner.parse(edited, tree), "an edited stanza does not parse");
    std::string events;
    oracle::add_element(events, tree.root());
    demand(events == expected, "an edited stanza reads otherwise");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes octets(reinterpret_cast<const char*>(data) + 1, size - 1);
  Limits limits;
  if ((data[0] & 1U) != 0) {
    limits.unit_size_max = 48;
    limits.depth_max = 3;
    limits.attributes_max = 3;
  }
  const oracle::Outcome whole = oracle::scan(octets, limits);
  demand(whole.same_as(oracle::scan(octets, limits, oracle::Cut::bytewise)), "bytewise differs");
  demand(whole.same_as(oracle::scan(octets, limits, oracle::Cut::random, data[0])), "random chunks differ");
  compare_with_expat(octets, whole);
  edit_stanzas(octets, limits);
  return 0;
}
