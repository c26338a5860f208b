#pragma once
// One parsed piece of an XML stream: a stanza with all that is in it, or the stream's opening tag alone. The tree is
// flat (records in document order), holds offsets and no pointers, and knows where each part stands in the wire, so
// that a codec can change one part and leave every other octet as it came (see xml_edit.h).
//
// Element, Attribute and Text are handles: cheap to copy, valid as long as their Tree is left alone and the wire
// exists. A handle may be null (nothing found); every question to a null handle has an empty answer, so that
// `stanza.child("x", kData).child("value", kData).text()` needs no checks in between.
//
// Names and values are as XML 1.0 (fifth edition) and Namespaces in XML 1.0 say: references replaced, ends of lines
// and attribute values normalised (§2.11, §3.3.3). Declarations of namespaces are not among the attributes.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/bytes.h"

namespace chancery::xml {

inline constexpr std::string_view kXmlNamespace = "http://www.w3.org/XML/1998/namespace";
inline constexpr std::string_view kXmlnsNamespace = "http://www.w3.org/2000/xmlns/";

class Element;
class Tree;

// Octets [begin, end) of the wire, counted from the first octet of the stanza.
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t size() const { return end - begin; }
  bool operator==(const Span&) const = default;
};

// A run of character data that stands in one piece: from markup to markup, or one CDATA section (whose wire() includes
// `<![CDATA[` and `]]>`). Replacing wire() by escape(other) says `other` instead.
class Text {
 public:
  std::string_view text() const;
  Span wire() const;

 private:
  friend class Node;
  Text(const Tree* tree, std::uint32_t index) : tree_(tree), index_(index) {}
  const Tree* tree_;
  std::uint32_t index_;
};

class Attribute {
 public:
  Attribute() = default;
  explicit operator bool() const { return tree_ != nullptr; }
  std::string_view name() const;  // local part
  std::string_view ns() const;    // empty when the attribute has no prefix
  std::string_view value() const;
  Span wire() const;        // from the name to the closing quote
  Span value_wire() const;  // between the quotes

 private:
  friend class Element;
  Attribute(const Tree* tree, std::uint32_t index) : tree_(tree), index_(index) {}
  const Tree* tree_ = nullptr;
  std::uint32_t index_ = 0;
};

// What Element::nodes() iterates over: an element or a run of text.
class Node {
 public:
  bool is_element() const;
  bool is_text() const { return !is_element(); }
  Element element() const;                           // null when this is text
  Text text() const { return Text{tree_, index_}; }  // only when this is text
  Span wire() const;

 private:
  template <class Value>
  friend class Siblings;
  Node(const Tree* tree, std::uint32_t index) : tree_(tree), index_(index) {}
  const Tree* tree_;
  std::uint32_t index_;
};

template <class Value>
class Siblings;

class Element {
 public:
  Element() = default;
  explicit operator bool() const { return tree_ != nullptr; }

  std::string_view name() const;            // local part
  std::string_view ns() const;              // empty: in no namespace
  std::string_view qualified_name() const;  // as the wire has it: "stream:features"
  bool is(std::string_view local, std::string_view in_namespace) const;

  // The value of an attribute; empty when absent. Without a namespace: an attribute without prefix.
  std::string_view attribute(std::string_view local, std::string_view in_namespace = {}) const {
    return find_attribute(local, in_namespace).value();
  }
  Attribute find_attribute(std::string_view local, std::string_view in_namespace = {}) const;
  std::size_t attribute_count() const;
  Attribute attribute_at(std::size_t position) const;  // in document order

  Element child(std::string_view local, std::string_view in_namespace) const;  // the first such
  Element first_child() const;                                                 // the first child that is an element
  Element parent() const;                                                      // null for the stanza itself
  Siblings<Element> children() const;
  Siblings<Node> nodes() const;  // elements and text in document order

  std::string text() const;  // all runs of text directly in this element, joined
  // xml:lang of this element or of the nearest element around it within the stanza; empty: not said (the stream's own
  // xml:lang then holds, RFC 6120 §4.7.4).
  std::string_view language() const;

  Span wire() const;      // from `<` of the start tag to `>` of the end tag
  Span open_tag() const;  // the start tag, or all of an empty-element tag
  Span inner() const;     // between the tags; of size 0 at wire().end for an empty-element tag `<a/>`
  bool is_empty_tag() const;
  Bytes source() const;  // the octets of wire()

 private:
  friend class Node;
  friend class Tree;
  template <class Value>
  friend class Siblings;
  Element(const Tree* tree, std::uint32_t index) : tree_(tree), index_(index) {}
  const Tree* tree_ = nullptr;
  std::uint32_t index_ = 0;
};

// Where a string stands: in the wire itself where it could be left there, else in the tree's `decoded` text, else in
// the namespaces that the stream's opening tag declared.
struct Piece {
  enum class Home : std::uint8_t { wire, decoded, stream };
  std::uint32_t begin : 30 = 0;
  std::uint32_t home : 2 = 0;
  std::uint32_t size = 0;
};

// The flat form. Scanner fills it; codecs use only the handles and root().
class Tree {
 public:
  static constexpr std::uint32_t kNone = 0xffff'ffff;

  Element root() const { return records.empty() ? Element{} : Element{this, 0}; }
  std::string_view view(Piece piece) const {
    switch (static_cast<Piece::Home>(piece.home)) {
      case Piece::Home::wire:
        return {wire.data() + piece.begin, piece.size};
      case Piece::Home::decoded:
        return {decoded.data() + piece.begin, piece.size};
      case Piece::Home::stream:
        return {stream_text->data() + piece.begin, piece.size};
    }
    return {};
  }

  struct Record {
    std::uint32_t begin = 0;  // in the wire
    std::uint32_t end = 0;
    std::uint32_t open_end = 0;     // elements: end of the start tag
    std::uint32_t close_begin = 0;  // elements: begin of the end tag; == end for an empty-element tag
    Piece name;                     // elements: local name; text: the text
    Piece ns;
    std::uint32_t after = 0;  // first record that is not in this one
    std::uint32_t parent = kNone;
    std::uint32_t attributes_begin = 0;
    std::uint16_t attributes = 0;
    bool is_text = false;
  };
  struct AttributeRecord {
    Piece name;
    Piece ns;
    Piece value;
    std::uint32_t begin = 0;  // in the wire: of the name
    std::uint32_t value_begin = 0;
    std::uint32_t end = 0;  // after the closing quote
  };

  Bytes wire;
  std::vector<Record> records;
  std::vector<AttributeRecord> attributes;
  std::string decoded;
  const std::string* stream_text = nullptr;
};

inline std::string_view Element::name() const {
  return tree_ ? tree_->view(tree_->records[index_].name) : std::string_view{};
}

inline std::string_view Element::ns() const {
  return tree_ ? tree_->view(tree_->records[index_].ns) : std::string_view{};
}

inline bool Element::is(std::string_view local, std::string_view in_namespace) const {
  if (!tree_) return false;
  const Tree::Record& record = tree_->records[index_];
  return record.name.size == local.size() && record.ns.size == in_namespace.size() &&
         tree_->view(record.name) == local && tree_->view(record.ns) == in_namespace;
}

// A forward range over what is directly in one element; Value is Element (text left out) or Node.
template <class Value>
class Siblings {
 public:
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    iterator() = default;
    Value operator*() const { return Value{tree_, index_}; }
    iterator& operator++() {
      index_ = tree_->records[index_].after;
      skip();
      return *this;
    }
    iterator operator++(int) {
      iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const iterator& o) const { return index_ == o.index_; }

   private:
    friend class Siblings;
    iterator(const Tree* tree, std::uint32_t index, std::uint32_t end) : tree_(tree), index_(index), end_(end) {
      skip();
    }
    void skip() {
      if constexpr (std::is_same_v<Value, Element>)
        while (index_ != end_ && tree_->records[index_].is_text) index_ = tree_->records[index_].after;
    }
    const Tree* tree_ = nullptr;
    std::uint32_t index_ = 0;
    std::uint32_t end_ = 0;
  };

  iterator begin() const { return {tree_, begin_, end_}; }
  iterator end() const { return {tree_, end_, end_}; }
  bool empty() const { return begin() == end(); }

 private:
  friend class Element;
  Siblings(const Tree* tree, std::uint32_t begin, std::uint32_t end) : tree_(tree), begin_(begin), end_(end) {}
  const Tree* tree_;
  std::uint32_t begin_;
  std::uint32_t end_;
};

}  // namespace chancery::xml
