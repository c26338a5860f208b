#include "codec/wire/xml.h"

#include <algorithm>

#include "codec/wire/xml_chars.h"

namespace chancery::xml {
namespace {

constexpr std::uint32_t kUnitSizeCeiling = (1U << 30) - 1;  // what Piece can address
constexpr std::size_t kDeclarationSizeMax = 256;            // the longest useful one has 56
constexpr std::uint32_t kAttributesCeiling = 65'535;

Limits within_ceilings(Limits limits) {
  limits.unit_size_max = std::min(limits.unit_size_max, kUnitSizeCeiling);
  limits.attributes_max = std::min(limits.attributes_max, kAttributesCeiling);
  return limits;
}

template <class Container>
void give_back(Container& container) {
  Container().swap(container);
}

// The pseudo-attributes of `<?xml …?>`, in their fixed order (XML 1.0 §2.8). Values hold no references.
class Declaration {
 public:
  explicit Declaration(Bytes octets) : rest_(octets) {}

  std::optional<CodecError> check() {
    if (!attribute("version") || !version()) return CodecError::malformed;
    if (attribute("encoding")) {
      if (!encoding_name()) return CodecError::malformed;
      // RFC 6120 §11.6: UTF-8 and nothing else.
      if (!is_utf8_name()) return CodecError::restricted;
    }
    if (attribute("standalone") && value_ != "yes" && value_ != "no") return CodecError::malformed;
    skip_space();
    if (!rest_.empty()) return CodecError::malformed;
    return std::nullopt;
  }

 private:
  bool skip_space() {
    const std::size_t before = rest_.size();
    while (!rest_.empty() && is_class(rest_.front(), kSpace)) rest_.remove_prefix(1);
    return rest_.size() != before;
  }
  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  // S name S? '=' S? quoted; the rest is left alone when it does not stand there.
  bool attribute(std::string_view name) {
    const Bytes before = rest_;
    if (skip_space() && take(name)) {
      skip_space();
      if (take("=")) {
        skip_space();
        const char quote = rest_.empty() ? '\0' : rest_.front();
        const std::size_t end = quote == '"' || quote == '\'' ? rest_.find(quote, 1) : Bytes::npos;
        if (end != Bytes::npos) {
          value_ = rest_.substr(1, end - 1);
          rest_.remove_prefix(end + 1);
          return true;
        }
      }
    }
    rest_ = before;
    return false;
  }
  bool version() const {  // '1.' [0-9]+
    return value_.size() > 2 && value_.starts_with("1.") && value_.find_first_not_of("0123456789", 2) == Bytes::npos;
  }
  bool encoding_name() const {  // [A-Za-z] ([A-Za-z0-9._] | '-')*
    if (value_.empty() || value_.front() == '_' || !is_class(value_.front(), kNameStart)) return false;
    return std::all_of(value_.begin(), value_.end(), [](char c) { return is_class(c, kNameNext); });
  }
  bool is_utf8_name() const {
    constexpr std::string_view kName = "utf-8";
    return std::equal(value_.begin(), value_.end(), kName.begin(), kName.end(),
                      [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b; });
  }

  Bytes rest_;
  Bytes value_;
};

}  // namespace

Scanner::Scanner(const Limits& limits) : limits_(within_ceilings(limits)), builder_(limits_, stream_, tree_) {
  begin_stream();
}

void Scanner::feed(Bytes in) {
  keep_rest();
  if (error_ || in.empty()) return;
  if (buffer_.empty()) {
    view_ = in;
  } else {
    buffer_.append(in);
    view_ = buffer_;
  }
}

std::optional<Item> Scanner::next() {
  if (error_) return std::nullopt;
  if (begin_ == view_.size()) return more();
  const char c = view_[begin_];
  if (is_class(c, kSpace)) {
    // XML 1.0 §2.8: a declaration is the first thing. White space in front of a restarted stream is still of the old
    // one.
    if (place_ == Place::start && !restarted_) place_ = Place::prolog;
    return take(Item::Kind::space, 1);
  }
  if (place_ == Place::end) return fail(CodecError::after_end);
  if (c == '<') return markup();
  return fail(place_ == Place::open ? CodecError::out_of_order : CodecError::malformed);
}

std::error_code Scanner::finish() const {
  if (error_) return error_;
  return place_ == Place::end ? std::error_code{} : CodecError::malformed;
}

bool Scanner::midway() const { return begin_ != view_.size(); }

void Scanner::restart() {
  if (error_) return;
  begin_stream();
  restarted_ = true;
}

void Scanner::discard_and_restart() {
  view_ = {};
  begin_ = 0;
  keep_rest();
  error_ = {};
  restart();
}

std::error_code Scanner::parse(Bytes stanza, Tree& tree) const {
  Builder builder(limits_, stream_, tree);
  builder.begin();
  if (stanza.size() > limits_.unit_size_max) return CodecError::too_large;
  if (stanza.size() < 2 || stanza[0] != '<' || stanza[1] == '/') return CodecError::malformed;
  switch (builder.element(stanza)) {
    case Builder::Outcome::done:
      return builder.position() == stanza.size() ? std::error_code{} : CodecError::malformed;
    case Builder::Outcome::failed:
      return builder.error();
    case Builder::Outcome::more:
      break;
  }
  return CodecError::malformed;
}

std::size_t Scanner::memory() const {
  return sizeof *this + buffer_.capacity() + tree_.records.capacity() * sizeof(Tree::Record) +
         tree_.attributes.capacity() * sizeof(Tree::AttributeRecord) + tree_.decoded.capacity() + builder_.memory() +
         stream_.text.capacity() + stream_.bindings.capacity() * sizeof(Binding) + stream_.qualified_name.capacity();
}

std::optional<Item> Scanner::fail(CodecError error) {
  error_ = error;
  view_ = {};
  begin_ = 0;
  building_ = false;
  keep_rest();
  return std::nullopt;
}

// RFC 6120 §11.1 and §11.7: besides tags only a declaration, at the very start.
std::optional<Item> Scanner::markup() {
  const Bytes octets = rest();
  if (octets.size() < 2) return more();
  switch (octets[1]) {
    case '?':
      return place_ == Place::start ? declaration() : fail(CodecError::restricted);
    case '!':
      if (octets.size() < 3) return more();
      if (octets[2] != '[') return fail(CodecError::restricted);
      return fail(place_ == Place::open ? CodecError::out_of_order : CodecError::malformed);
    case '/':
      return place_ == Place::open ? closing_tag() : fail(CodecError::malformed);
    default:
      return element(place_ == Place::open);
  }
}

std::optional<Item> Scanner::declaration() {
  constexpr std::string_view kBegin = "<?xml";
  const Bytes octets = rest();
  const Bytes begun = octets.substr(0, kBegin.size());
  if (begun != kBegin.substr(0, begun.size())) return fail(CodecError::restricted);
  if (octets.size() <= kBegin.size()) return more();
  if (!is_class(octets[kBegin.size()], kSpace)) return fail(CodecError::restricted);
  const std::size_t end = octets.find("?>", kBegin.size());
  if (end == Bytes::npos) return octets.size() > kDeclarationSizeMax ? fail(CodecError::too_large) : more();
  if (end + 2 > kDeclarationSizeMax) return fail(CodecError::too_large);
  const std::optional<CodecError> error = Declaration(octets.substr(kBegin.size(), end - kBegin.size())).check();
  if (error) return fail(*error);
  place_ = Place::prolog;
  return take(Item::Kind::declaration, end + 2);
}

std::optional<Item> Scanner::element(bool stanza) {
  if (!building_) builder_.begin();
  building_ = true;
  const Bytes octets = rest();
  switch (stanza ? builder_.element(octets) : builder_.stream_tag(octets)) {
    case Builder::Outcome::more:
      return more();
    case Builder::Outcome::failed:
      return fail(builder_.error());
    case Builder::Outcome::done:
      break;
  }
  building_ = false;
  if (!stanza) {
    builder_.adopt(stream_);
    place_ = Place::open;
  }
  Item item = take(stanza ? Item::Kind::stanza : Item::Kind::open, builder_.position());
  tree_.wire = item.wire;
  item.element = tree_.root();
  return item;
}

// `</` name S? `>`. Judged, like every tag, at its `>` or at a `<`.
std::optional<Item> Scanner::closing_tag() {
  const Bytes octets = rest();
  const std::size_t end = octets.find_first_of("<>", std::max<std::size_t>(searched_, 2));
  searched_ = octets.size();
  if (end == Bytes::npos) return more();
  searched_ = 0;
  Bytes tag = octets.substr(2, end - 2);
  while (!tag.empty() && is_class(tag.back(), kSpace)) tag.remove_suffix(1);
  if (octets[end] == '<' || tag != stream_.qualified_name) return fail(CodecError::malformed);
  place_ = Place::end;
  return take(Item::Kind::close, end + 1);
}

// Nothing more can be said until more octets come; one piece may have only so many.
std::optional<Item> Scanner::more() {
  if (view_.size() - begin_ >= limits_.unit_size_max) return fail(CodecError::too_large);
  keep_rest();
  return std::nullopt;
}

Item Scanner::take(Item::Kind kind, std::size_t size) {
  Item item;
  item.kind = kind;
  item.wire = view_.substr(begin_, size);
  begin_ += size;
  return item;
}

Bytes Scanner::rest() const { return view_.substr(begin_, limits_.unit_size_max); }

// Leaves view_ on buffer_, which holds just what is not consumed; an idle scanner holds no capacity.
void Scanner::keep_rest() {
  if (begin_ == view_.size()) {
    view_ = {};
    begin_ = 0;
    give_back(buffer_);
    give_back(tree_.records);
    give_back(tree_.attributes);
    give_back(tree_.decoded);
    builder_.shrink();
    return;
  }
  if (view_.data() == buffer_.data())
    buffer_.erase(0, begin_);
  else
    buffer_.assign(view_.substr(begin_));
  begin_ = 0;
  view_ = buffer_;
}

void Scanner::begin_stream() {
  stream_ = StreamNames();
  place_ = Place::start;
  restarted_ = false;
  searched_ = 0;
  building_ = false;
}

}  // namespace chancery::xml
