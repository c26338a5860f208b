#pragma once
// Turns the octets of one first-level element into a Tree, token by token. Internal to the scanner (xml.h).
//
// A token is a tag, a CDATA section or a run of text. It is judged when its end is there: a tag at the first `>`
// outside of quotes, or at a `<`, which no tag may hold; text at the next `<`. So the answer does not depend on chunks.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/codec.h"
#include "codec/wire/xml_tree.h"
#include "core/bytes.h"

namespace chancery::xml {

// Prefixes that may be in scope at once: each name looks through them.
inline constexpr std::size_t kBindingsMax = 256;

struct Binding {
  Piece prefix;  // empty: the default namespace
  Piece uri;     // empty: no namespace (only for the default)
  std::uint32_t owner = 0;
};

// What the stream's opening tag declared. `text` begins with what XML itself declares: the prefix `xml`.
struct StreamNames {
  StreamNames();
  std::string text;
  std::vector<Binding> bindings;
  std::string qualified_name;  // of the stream
};

class Builder {
 public:
  enum class Outcome : std::uint8_t { more, done, failed };

  Builder(const Limits& limits, const StreamNames& stream, Tree& tree)
      : limits_(limits), stream_(stream), tree_(tree) {}

  // Forgets the last element; the tree keeps its capacity.
  void begin();
  // `wire` is the element from its first octet on, as far as it is known; each call sees all that the last one saw.
  // done: the element ends at position(). more: it goes on behind `wire`. failed: error().
  Outcome element(Bytes wire);
  // The same for the start tag alone, which may not be an empty-element tag. The Tree then holds just this tag.
  Outcome stream_tag(Bytes wire);
  // What the start tag of stream_tag() declared, to be inherited by what comes after it.
  void adopt(StreamNames& stream) const;

  std::uint32_t position() const { return position_; }
  CodecError error() const { return error_; }
  std::size_t memory() const { return bindings_.capacity() * sizeof(Binding); }
  void shrink() { std::vector<Binding>().swap(bindings_); }

 private:
  // The parsers below go from `p` on and answer where they stopped; null: failed, or the octets ended (error_ is then
  // only meant if the whole token is there).
  using Cursor = const char*;
  Cursor fail(CodecError error);
  Outcome markup();
  Outcome tag(bool start);
  Outcome text_token();
  Outcome cdata_token();
  bool find_tag_end();

  Cursor start_tag(Cursor p);
  Cursor attribute(Cursor p);
  Cursor end_tag(Cursor p);
  Cursor text(Cursor p);
  Cursor qualified_name(Cursor p, Piece& local);
  Cursor name_part(Cursor p, Cursor end);
  Cursor wide_name_part(Cursor p, Cursor end, bool first);
  template <char kStop>
  Cursor characters(Cursor p, Cursor end, Piece& out);
  Cursor reference(Cursor p, Cursor end);
  Cursor character(Cursor p, Cursor end);

  bool declare(std::uint32_t first_attribute, std::size_t first_binding);
  bool resolve_names(std::uint32_t first_attribute, Tree::Record& record);
  bool resolve(std::uint32_t begin, Piece local, Piece& ns);
  std::optional<Piece> lookup(std::string_view prefix) const;
  bool push_element(Tree::Record& record, bool empty);
  void push_text(std::uint32_t begin, std::uint32_t end, Piece text);
  void close_element(std::uint32_t close_begin, std::uint32_t end);

  Cursor base() const { return tree_.wire.data(); }
  Cursor limit() const { return tree_.wire.data() + tree_.wire.size(); }
  std::uint32_t offset(Cursor p) const { return static_cast<std::uint32_t>(p - base()); }

  const Limits& limits_;
  const StreamNames& stream_;
  Tree& tree_;
  std::vector<Binding> bindings_;
  CodecError error_ = CodecError::malformed;
  std::uint32_t position_ = 0;  // begin of the token in hand
  std::uint32_t searched_ = 0;  // the token's end is not before this; 0: not searched yet
  std::uint32_t current_ = Tree::kNone;
  std::uint32_t depth_ = 0;
  char quote_ = 0;  // find_tag_end() stopped inside of this quote
  bool closed_ = false;
};

}  // namespace chancery::xml
