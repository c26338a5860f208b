#pragma once
// An incremental, strict scanner of XML streams as XMPP uses them (RFC 6120 §4 and §11): an opening tag, then stanzas
// with white space between them, then the closing tag. Octets in, in chunks of any size; pieces out.
//
//   scanner.feed(octets);
//   while (auto piece = scanner.next()) { … piece->kind, piece->wire, piece->element … }
//   if (scanner.error()) …
//
// Checked: well-formedness (XML 1.0 fifth edition), namespaces (Namespaces in XML 1.0), UTF-8, and what RFC 6120 §11.1
// forbids: comments, processing instructions, DTD, entities other than the predefined five.
// Chunking never matters: the same octets give the same pieces and the same error. Pieces before an error are
// delivered first; an error is sticky.
//
// Errors: malformed; not_utf8; restricted (also: a declared encoding other than UTF-8, an empty-element tag as stream);
// too_large (unit_size_max, of one piece), too_deep (depth_max, the stanza itself is 1), too_many (attributes_max,
// declarations of namespaces included; 256 prefixes in scope); out_of_order (character data other than white space
// between stanzas); after_end (anything but white space after the closing tag).
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "codec/codec.h"
#include "codec/wire/xml_builder.h"
#include "codec/wire/xml_edit.h"
#include "codec/wire/xml_tree.h"
#include "core/bytes.h"

namespace chancery::xml {

struct Item {
  enum class Kind : std::uint8_t {
    declaration,  // `<?xml …?>`, only as the very first octets of a stream
    open,         // the stream's opening tag; `element` has no children, and its wire() is the tag
    stanza,       // one complete first-level element
    space,        // one octet of white space outside of stanzas (one each, so that chunking never matters)
    close,        // the stream's closing tag
  };
  Kind kind = Kind::space;
  Bytes wire;       // exactly as it came; valid until the next call of a non-const member of the scanner
  Element element;  // `open` and `stanza`; null otherwise; valid as long as `wire`
};

// One direction of one connection. Holds less than 1 KiB while no piece is incomplete (memory()).
class Scanner {
 public:
  explicit Scanner(const Limits& limits);
  Scanner(const Scanner&) = delete;
  Scanner& operator=(const Scanner&) = delete;

  // `in` is borrowed until next() has answered nullopt; what belongs to an incomplete piece is copied then.
  void feed(Bytes in);
  // The next piece; nullopt: more octets are needed, or error().
  std::optional<Item> next();
  std::error_code error() const { return error_; }
  // The peer closed its half: error() or, when the stream is not complete (no closing tag), malformed. Not sticky.
  std::error_code finish() const;
  // Whether an incomplete piece is held.
  bool midway() const;

  // A new stream begins with the next octet that next() has not yet consumed (RFC 6120 §4.3.3: after SASL). White space
  // in front of its declaration is let pass: it was sent in the old stream. The last Item is no longer valid.
  void restart();
  // The same, and an error is forgotten, and octets that were fed but not yet consumed are forgotten (RFC 6120
  // §5.4.3.3: what was sent in clear behind STARTTLS).
  void discard_and_restart();

  // Parses one complete stanza again in this stream's namespaces, for a change in it later than at next(). `stanza`
  // must outlive the tree. An error for anything but exactly one element.
  std::error_code parse(Bytes stanza, Tree& tree) const;

  std::size_t memory() const;  // octets held, this object included

 private:
  enum class Place : std::uint8_t {
    start,   // nothing of the stream has come yet
    prolog,  // before the opening tag, and a declaration may not come any more
    open,    // between stanzas
    end,     // behind the closing tag
  };
  std::optional<Item> fail(CodecError error);
  std::optional<Item> declaration();
  std::optional<Item> markup();
  std::optional<Item> element(bool stanza);
  std::optional<Item> closing_tag();
  std::optional<Item> more();
  Item take(Item::Kind kind, std::size_t size);
  Bytes rest() const;
  void keep_rest();
  void begin_stream();

  Limits limits_;
  StreamNames stream_;
  Tree tree_;
  Builder builder_;
  std::error_code error_;
  Bytes view_;             // what is being read: the octets of feed(), or buffer_
  std::size_t begin_ = 0;  // in view_: first octet of the piece in hand
  Buffer buffer_;          // an incomplete piece, and between feed() and next() what came behind it
  Place place_ = Place::start;
  std::size_t searched_ = 0;  // the closing tag does not end before this
  bool restarted_ = false;
  bool building_ = false;  // builder_ is midway in the piece in hand
};

}  // namespace chancery::xml
