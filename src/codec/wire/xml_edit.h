#pragma once
// Changing parts of a stanza in the wire: everything that is not named in an edit leaves as it came.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/wire/xml_tree.h"
#include "core/bytes.h"

namespace chancery::xml {

// `text` as character data or as an attribute's value in either kind of quotes. A character that XML cannot carry (a
// control character, octets that are not UTF-8) becomes U+FFFD. What escape() gives, the scanner reads back as `text`.
std::string escape(std::string_view text);
void escape_to(std::string_view text, Buffer& out);

// Collects edits in any order; spans come from the handles of xml_tree.h and count from the begin of `wire`.
class Editor {
 public:
  explicit Editor(Bytes wire) : wire_(wire) {}

  void replace(Span span, Bytes octets) { edits_.push_back({span, Buffer{octets}}); }
  void remove(Span span) { replace(span, {}); }
  void insert(std::uint32_t at, Bytes octets) { replace({at, at}, octets); }

  void set_text(const Text& text, std::string_view value) { replace(text.wire(), escape(value)); }
  void set_value(const Attribute& attribute, std::string_view value) { replace(attribute.value_wire(), escape(value)); }
  void remove(const Element& element) { remove(element.wire()); }
  void remove(const Attribute& attribute);  // and the white space before it
  // As the last thing inside of `element`; an empty-element tag `<a/>` becomes `<a>` octets `</a>`.
  void append_child(const Element& element, Bytes octets);

  bool empty() const { return edits_.empty(); }
  // The wire with all edits. Where two overlap, the one that begins earlier (then: the larger one) wins and the other
  // is left out, so removing an element also undoes edits inside of it. Insertions at one place keep their order.
  Buffer apply() const;

 private:
  struct Edit {
    Span span;
    Buffer octets;
  };
  Bytes wire_;
  std::vector<Edit> edits_;
};

}  // namespace chancery::xml
