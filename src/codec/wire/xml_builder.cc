#include "codec/wire/xml_builder.h"

#include <algorithm>
#include <cstring>

#include "codec/wire/xml_chars.h"

namespace chancery::xml {
namespace {

constexpr std::string_view kCdataBegin = "<![CDATA[";
constexpr std::string_view kCdataEnd = "]]>";
// Enough for most stanzas: one allocation each, of a size that glibc's cache of a thread still has (1,032 octets).
constexpr std::size_t kRecordsFirst = 21;
static_assert(kRecordsFirst * sizeof(Tree::Record) <= 1'032);
constexpr std::size_t kAttributesFirst = 8;

Piece wire_piece(std::uint32_t begin, std::uint32_t end) {
  Piece piece;
  piece.begin = begin & 0x3fff'ffffU;
  piece.size = end - begin;
  return piece;
}

Piece piece_of(Piece::Home home, std::size_t begin, std::size_t end) {
  Piece piece = wire_piece(static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end));
  piece.home = static_cast<std::uint32_t>(home) & 3U;
  return piece;
}

Piece store(std::string& text, std::string_view added, Piece::Home home) {
  const std::size_t begin = text.size();
  text.append(added);
  return piece_of(home, begin, text.size());
}

const char* skip_space(const char* p, const char* end) {
  while (p != end && is_class(*p, kSpace)) ++p;
  return p;
}

void append_utf8(std::uint32_t code, std::string& out) {
  const auto put = [&](std::uint32_t octet) { out.push_back(static_cast<char>(octet)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0U | code >> 6);
  } else {
    if (code < 0x10000) {
      put(0xe0U | code >> 12);
    } else {
      put(0xf0U | code >> 18);
      put(0x80U | (code >> 12 & 0x3fU));
    }
    put(0x80U | (code >> 6 & 0x3fU));
  }
  put(0x80U | (code & 0x3fU));
}

// XML 1.0 §4.6.
std::optional<char> predefined(std::string_view entity) {
  if (entity == "amp") return '&';
  if (entity == "lt") return '<';
  if (entity == "gt") return '>';
  if (entity == "quot") return '"';
  if (entity == "apos") return '\'';
  return std::nullopt;
}

// What stands between `&#` and `;` (XML 1.0 §4.1); 0: no legal character.
std::uint32_t referred_code(std::string_view digits) {
  const bool hex = digits.starts_with('x');
  if (hex) digits.remove_prefix(1);
  if (digits.empty()) return 0;
  std::uint32_t code = 0;
  for (const char c : digits) {
    std::uint32_t digit = 16;
    if (c >= '0' && c <= '9') digit = static_cast<std::uint32_t>(c - '0');
    if (hex && c >= 'a' && c <= 'f') digit = static_cast<std::uint32_t>(c - 'a') + 10;
    if (hex && c >= 'A' && c <= 'F') digit = static_cast<std::uint32_t>(c - 'A') + 10;
    if (digit == 16) return 0;
    code = code * (hex ? 16 : 10) + digit;
    if (code > 0x10ffff) return 0;
  }
  return is_char(code) ? code : 0;
}

}  // namespace

StreamNames::StreamNames() {
  Binding xml;
  xml.prefix = store(text, "xml", Piece::Home::stream);
  xml.uri = store(text, kXmlNamespace, Piece::Home::stream);
  bindings.push_back(xml);
}

void Builder::begin() {
  tree_.wire = {};
  tree_.records.clear();
  tree_.attributes.clear();
  tree_.decoded.clear();
  tree_.stream_text = &stream_.text;
  bindings_.clear();
  position_ = searched_ = depth_ = 0;
  current_ = Tree::kNone;
  closed_ = false;
}

Builder::Outcome Builder::element(Bytes wire) {
  tree_.wire = wire;
  while (!closed_) {
    if (position_ == wire.size()) return Outcome::more;
    const Outcome outcome = wire[position_] == '<' ? markup() : text_token();
    if (outcome != Outcome::done) return outcome;
  }
  return Outcome::done;
}

Builder::Outcome Builder::stream_tag(Bytes wire) {
  tree_.wire = wire;
  if (const Outcome outcome = tag(true); outcome != Outcome::done) return outcome;
  if (closed_) {
    fail(CodecError::restricted);
    return Outcome::failed;
  }
  Tree::Record& record = tree_.records.front();
  record.end = record.close_begin = record.open_end;
  record.after = 1;
  return Outcome::done;
}

void Builder::adopt(StreamNames& stream) const {
  for (const Binding& binding : bindings_) {
    Binding kept;
    kept.prefix = store(stream.text, tree_.view(binding.prefix), Piece::Home::stream);
    kept.uri = store(stream.text, tree_.view(binding.uri), Piece::Home::stream);
    stream.bindings.push_back(kept);
  }
  stream.qualified_name = tree_.root().qualified_name();
}

Builder::Cursor Builder::fail(CodecError error) {
  error_ = error;
  return nullptr;
}

Builder::Outcome Builder::markup() {
  if (position_ + 1 == tree_.wire.size()) return Outcome::more;
  switch (tree_.wire[position_ + 1]) {
    case '/':
      return tag(false);
    case '!':
      return cdata_token();
    case '?':
      fail(CodecError::restricted);
      return Outcome::failed;
    default:
      return tag(true);
  }
}

Builder::Outcome Builder::tag(bool start) {
  if (searched_ > position_ && !find_tag_end()) return Outcome::more;
  const std::size_t attributes = tree_.attributes.size();
  const std::size_t decoded = tree_.decoded.size();
  const std::size_t bindings = bindings_.size();
  fail(CodecError::malformed);
  const Cursor begin = base() + position_;
  if (const Cursor end = start ? start_tag(begin) : end_tag(begin)) {
    position_ = offset(end);
    searched_ = 0;
    return Outcome::done;
  }
  tree_.attributes.resize(attributes);
  tree_.decoded.resize(decoded);
  bindings_.resize(bindings);
  if (searched_ <= position_) {
    searched_ = position_ + 1;
    quote_ = 0;
    if (!find_tag_end()) return Outcome::more;
  }
  return Outcome::failed;
}

bool Builder::find_tag_end() {
  Cursor p = base() + searched_;
  const Cursor end = limit();
  for (; p != end; ++p) {
    const char c = *p;
    if (c == '<' || (c == '>' && quote_ == 0)) break;
    if (c == quote_)
      quote_ = 0;
    else if (quote_ == 0 && (c == '"' || c == '\''))
      quote_ = c;
  }
  searched_ = offset(p);
  return p != end;
}

inline Builder::Cursor Builder::name_part(Cursor p, Cursor end) {
  if (p == end) return nullptr;
  const Cursor begin = p;
  if (is_class(*p, kNameStart)) {
    do {
      if (++p == end) return p;
    } while (is_class(*p, kNameNext));
  }
  return static_cast<std::uint8_t>(*p) < 0x80 ? (p == begin ? nullptr : p) : wide_name_part(p, end, p == begin);
}

Builder::Cursor Builder::wide_name_part(Cursor p, Cursor end, bool first) {
  for (; p != end; first = false) {
    if (is_class(*p, first ? kNameStart : kNameNext)) {
      ++p;
      continue;
    }
    if (static_cast<std::uint8_t>(*p) < 0x80) break;
    const Decoded decoded = decode_utf8(p, end);
    if (decoded.size == 0) return fail(CodecError::not_utf8);
    if (!(first ? is_name_start(decoded.code) : is_name_next(decoded.code))) return nullptr;
    p += decoded.size;
  }
  return first ? nullptr : p;
}

// QName, Namespaces in XML 1.0 §4: at most one colon, and a whole name on each side of it.
inline Builder::Cursor Builder::qualified_name(Cursor p, Piece& local) {
  Cursor begin = p;
  p = name_part(p, limit());
  if (p && p != limit() && *p == ':') {
    begin = p + 1;
    p = name_part(begin, limit());
  }
  if (!p) return nullptr;
  local = wire_piece(offset(begin), offset(p));
  return p;
}

Builder::Cursor Builder::start_tag(Cursor p) {
  const Cursor end = limit();
  const auto first_attribute = static_cast<std::uint32_t>(tree_.attributes.size());
  const std::size_t first_binding = bindings_.size();
  Tree::Record record;
  record.begin = offset(p);
  record.attributes_begin = first_attribute;
  record.parent = current_;
  p = qualified_name(p + 1, record.name);
  while (p && p != end && is_class(*p, kSpace)) {
    p = skip_space(p, end);
    if (p == end) return nullptr;
    if (*p == '>' || *p == '/') break;
    if (tree_.attributes.size() - first_attribute == limits_.attributes_max) return fail(CodecError::too_many);
    p = attribute(p);
  }
  if (!p || p == end) return nullptr;
  const bool empty = *p == '/';
  if (empty && ++p == end) return nullptr;
  if (*p++ != '>') return nullptr;
  record.open_end = offset(p);
  if (!declare(first_attribute, first_binding) || !resolve_names(first_attribute, record)) return nullptr;
  return push_element(record, empty) ? p : nullptr;
}

Builder::Cursor Builder::attribute(Cursor p) {
  const Cursor end = limit();
  Tree::AttributeRecord record;
  record.begin = offset(p);
  p = qualified_name(p, record.name);
  if (!p) return nullptr;
  p = skip_space(p, end);
  if (p == end || *p != '=') return nullptr;
  p = skip_space(p + 1, end);
  if (p == end || (*p != '"' && *p != '\'')) return nullptr;
  record.value_begin = offset(p) + 1;
  p = *p == '"' ? characters<'"'>(p + 1, end, record.value) : characters<'\''>(p + 1, end, record.value);
  if (!p || p == end) return nullptr;
  ++p;
  record.end = offset(p);
  if (tree_.attributes.capacity() == 0) tree_.attributes.reserve(kAttributesFirst);
  tree_.attributes.push_back(record);
  return p;
}

Builder::Cursor Builder::end_tag(Cursor p) {
  const Cursor end = limit();
  const Tree::Record& record = tree_.records[current_];
  const std::uint32_t name_begin = record.begin + 1;
  const std::uint32_t name_size = record.name.begin + record.name.size - name_begin;
  const std::uint32_t close_begin = offset(p);
  p += 2;
  if (end - p <= static_cast<std::ptrdiff_t>(name_size)) return nullptr;
  if (std::memcmp(p, base() + name_begin, name_size) != 0) return nullptr;
  p = skip_space(p + name_size, end);
  if (p == end || *p != '>') return nullptr;
  ++p;
  close_element(close_begin, offset(p));
  return p;
}

// Character data up to kStop: `<` for text, a quote for a value, or (0) `end` for a CDATA section. As long as nothing
// has to be replaced, `out` is a piece of the wire.
template <char kStop>
Builder::Cursor Builder::characters(Cursor p, Cursor end, Piece& out) {
  constexpr bool kText = kStop == '<';
  constexpr bool kCdata = kStop == 0;
  constexpr bool kValue = !kText && !kCdata;
  const std::size_t decoded_begin = tree_.decoded.size();
  const Cursor begin = p;
  Cursor kept = nullptr;  // all before this is in tree_.decoded; null: nothing had to be replaced yet
  const auto replace_up_to = [&](Cursor here) {
    const Cursor from = kept ? kept : begin;
    tree_.decoded.append(from, here);
  };
  for (;;) {
    p = skip_plain(p, end);
    if (p == end) {
      if constexpr (kCdata) break;
      return nullptr;
    }
    const char c = *p;
    if constexpr (!kCdata)
      if (c == kStop) break;
    if (c == '\r' || (kValue && (c == '\t' || c == '\n'))) {
      // §2.11: CR LF and CR are a line feed. §3.3.3: white space in a value is a space.
      replace_up_to(p);
      tree_.decoded.push_back(kValue ? ' ' : '\n');
      ++p;
      if (c == '\r') {
        if (p == end && !kCdata) return nullptr;
        if (p != end && *p == '\n') ++p;
      }
      kept = p;
    } else if (!kCdata && c == '&') {
      replace_up_to(p);
      kept = p = reference(p, end);
      if (!p) return nullptr;
    } else if (kText && c == ']') {
      // §2.4: `]]>` may stand only at the end of a CDATA section.
      if (end - p >= 3 && p[1] == ']' && p[2] == '>') return nullptr;
      ++p;
    } else if (kValue && c == '<') {
      return nullptr;
    } else {
      p = character(p, end);
      if (!p) return nullptr;
    }
  }
  if (!kept) {
    out = wire_piece(offset(begin), offset(p));
  } else {
    replace_up_to(p);
    out = piece_of(Piece::Home::decoded, decoded_begin, tree_.decoded.size());
  }
  return p;
}

// A character that needs a look: a control, a markup character that is not markup here, or more than one octet.
Builder::Cursor Builder::character(Cursor p, Cursor end) {
  const auto octet = static_cast<std::uint8_t>(*p);
  if (octet < 0x80) return is_char(octet) ? p + 1 : nullptr;
  const Decoded decoded = decode_utf8(p, end);
  if (decoded.size == 0) return fail(CodecError::not_utf8);
  return is_char(decoded.code) ? p + decoded.size : nullptr;
}

// XML 1.0 §4.1. RFC 6120 §11.1: only characters and the five predefined entities.
Builder::Cursor Builder::reference(Cursor p, Cursor end) {
  ++p;
  if (p != end && *p == '#') {
    const Cursor begin = p + 1;
    for (p = begin; p != end && is_class(*p, kNameNext); ++p) {
    }
    if (p == end || *p != ';') return nullptr;
    const std::uint32_t code = referred_code({begin, p});
    if (code == 0) return nullptr;
    append_utf8(code, tree_.decoded);
    return p + 1;
  }
  const Cursor begin = p;
  p = name_part(p, end);
  if (!p || p == end || *p != ';') return nullptr;
  const std::optional<char> character = predefined({begin, p});
  if (!character) return fail(CodecError::restricted);
  tree_.decoded.push_back(*character);
  return p + 1;
}

// Takes the declarations of namespaces out of the attributes of the tag in hand (Namespaces in XML 1.0 §3).
bool Builder::declare(std::uint32_t first_attribute, std::size_t first_binding) {
  std::uint32_t kept = first_attribute;
  for (std::uint32_t i = first_attribute; i < tree_.attributes.size(); ++i) {
    const Tree::AttributeRecord& attribute = tree_.attributes[i];
    if (base()[attribute.begin] != 'x') {
      tree_.attributes[kept++] = attribute;
      continue;
    }
    const std::uint32_t prefix_size = attribute.name.begin - attribute.begin;
    const std::string_view local = tree_.view(attribute.name);
    const bool is_default = prefix_size == 0 && local == "xmlns";
    if (!is_default && (prefix_size != 6 || std::memcmp(base() + attribute.begin, "xmlns", 5) != 0)) {
      tree_.attributes[kept++] = attribute;
      continue;
    }
    const std::string_view prefix = is_default ? std::string_view{} : local;
    const std::string_view uri = tree_.view(attribute.value);
    if (prefix == "xmlns" || uri == kXmlnsNamespace || (prefix == "xml") != (uri == kXmlNamespace)) return false;
    if (!is_default && uri.empty()) return false;  // §2.2: a prefix cannot be undeclared
    for (std::size_t j = first_binding; j < bindings_.size(); ++j)
      if (tree_.view(bindings_[j].prefix) == prefix) return false;
    if (bindings_.size() == kBindingsMax) return fail(CodecError::too_many) != nullptr;
    Binding binding;
    if (!is_default) binding.prefix = attribute.name;
    binding.uri = attribute.value;
    binding.owner = static_cast<std::uint32_t>(tree_.records.size());
    bindings_.push_back(binding);
  }
  tree_.attributes.resize(kept);
  return true;
}

bool Builder::resolve_names(std::uint32_t first_attribute, Tree::Record& record) {
  record.attributes = static_cast<std::uint16_t>(tree_.attributes.size() - first_attribute);
  if (!resolve(record.begin + 1, record.name, record.ns)) return false;
  for (std::uint32_t i = first_attribute; i < tree_.attributes.size(); ++i) {
    Tree::AttributeRecord& attribute = tree_.attributes[i];
    // An attribute without prefix is in no namespace (§6.2).
    if (attribute.name.begin != attribute.begin && !resolve(attribute.begin, attribute.name, attribute.ns))
      return false;
    // §6.3: no two attributes with the same expanded name.
    for (std::uint32_t j = first_attribute; j < i; ++j) {
      const Tree::AttributeRecord& earlier = tree_.attributes[j];
      if (earlier.name.size == attribute.name.size && tree_.view(earlier.name) == tree_.view(attribute.name) &&
          tree_.view(earlier.ns) == tree_.view(attribute.ns))
        return false;
    }
  }
  return true;
}

// The namespace of a name whose prefix, if any, begins at `begin`.
bool Builder::resolve(std::uint32_t begin, Piece local, Piece& ns) {
  const std::uint32_t prefix_size = local.begin == begin ? 0 : local.begin - begin - 1;
  const std::optional<Piece> found = lookup(tree_.wire.substr(begin, prefix_size));
  if (!found && prefix_size != 0) return false;
  ns = found.value_or(Piece{});
  return true;
}

std::optional<Piece> Builder::lookup(std::string_view prefix) const {
  const auto is_it = [&](const Binding& binding) {
    return binding.prefix.size == prefix.size() && (prefix.empty() || tree_.view(binding.prefix) == prefix);
  };
  for (std::size_t i = bindings_.size(); i-- > 0;)
    if (is_it(bindings_[i])) return bindings_[i].uri;
  for (std::size_t i = stream_.bindings.size(); i-- > 0;)
    if (is_it(stream_.bindings[i])) return stream_.bindings[i].uri;
  return std::nullopt;
}

bool Builder::push_element(Tree::Record& record, bool empty) {
  if (depth_ == limits_.depth_max) return fail(CodecError::too_deep) != nullptr;
  if (tree_.records.capacity() == 0) tree_.records.reserve(kRecordsFirst);
  const auto index = static_cast<std::uint32_t>(tree_.records.size());
  tree_.records.push_back(record);
  current_ = index;
  ++depth_;
  if (empty) close_element(record.open_end, record.open_end);
  return true;
}

void Builder::push_text(std::uint32_t begin, std::uint32_t end, Piece text) {
  Tree::Record record;
  record.begin = begin;
  record.end = end;
  record.name = text;
  record.parent = current_;
  record.is_text = true;
  record.after = static_cast<std::uint32_t>(tree_.records.size()) + 1;
  tree_.records.push_back(record);
}

void Builder::close_element(std::uint32_t close_begin, std::uint32_t end) {
  Tree::Record& record = tree_.records[current_];
  record.close_begin = close_begin;
  record.end = end;
  record.after = static_cast<std::uint32_t>(tree_.records.size());
  // The stream's opening tag keeps its bindings for adopt(): it is never closed here.
  while (!bindings_.empty() && bindings_.back().owner == current_) bindings_.pop_back();
  current_ = record.parent;
  --depth_;
  closed_ = depth_ == 0;
}

Builder::Outcome Builder::text_token() {
  const Cursor end = limit();
  if (searched_ > position_) {
    const void* found = std::memchr(base() + searched_, '<', tree_.wire.size() - searched_);
    searched_ = static_cast<std::uint32_t>(tree_.wire.size());
    if (!found) return Outcome::more;
  }
  const std::size_t decoded = tree_.decoded.size();
  fail(CodecError::malformed);
  Piece piece;
  const Cursor begin = base() + position_;
  if (const Cursor stop = characters<'<'>(begin, end, piece)) {
    push_text(position_, offset(stop), piece);
    position_ = offset(stop);
    searched_ = 0;
    return Outcome::done;
  }
  tree_.decoded.resize(decoded);
  if (searched_ > position_) return Outcome::failed;
  searched_ = static_cast<std::uint32_t>(tree_.wire.size());
  return std::memchr(begin, '<', tree_.wire.size() - position_) ? Outcome::failed : Outcome::more;
}

Builder::Outcome Builder::cdata_token() {
  const Bytes rest = tree_.wire.substr(position_);
  if (rest.size() >= 3 && rest[2] != '[') {
    fail(CodecError::restricted);
    return Outcome::failed;
  }
  const Bytes begun = rest.substr(0, kCdataBegin.size());
  if (begun != kCdataBegin.substr(0, begun.size())) {
    fail(CodecError::malformed);
    return Outcome::failed;
  }
  const std::size_t content = position_ + kCdataBegin.size();
  const std::size_t stop =
      tree_.wire.size() < content ? Bytes::npos : tree_.wire.find(kCdataEnd, std::max<std::size_t>(content, searched_));
  if (stop == Bytes::npos) {
    const std::size_t searched = tree_.wire.size() - std::min(tree_.wire.size(), kCdataEnd.size() - 1);
    searched_ = static_cast<std::uint32_t>(std::max<std::size_t>(searched, position_));
    return Outcome::more;
  }
  fail(CodecError::malformed);
  Piece piece;
  if (!characters<0>(base() + content, base() + stop, piece)) return Outcome::failed;
  const auto end = static_cast<std::uint32_t>(stop + kCdataEnd.size());
  push_text(position_, end, piece);
  position_ = end;
  searched_ = 0;
  return Outcome::done;
}

}  // namespace chancery::xml
