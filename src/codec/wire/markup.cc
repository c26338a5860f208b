#include "codec/wire/markup.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "codec/wire/charset.h"

namespace chancery {
namespace {

constexpr std::size_t kTagSizeMax = 1024;      // a longer one is text that happens to hold a `<`
constexpr std::size_t kReferenceSizeMax = 10;  // "&#1114111;"

constexpr auto kHtmlTags = std::to_array<std::string_view>(
    {"a",     "b",    "big", "binary", "blockquote", "body", "br",     "center", "code", "data",   "div",
     "em",    "font", "h1",  "h2",     "h3",         "h4",   "head",   "hr",     "html", "i",      "img",
     "li",    "meta", "ol",  "p",      "pre",        "s",    "script", "small",  "span", "strike", "strong",
     "style", "sub",  "sup", "table",  "td",         "th",   "title",  "tr",     "tt",   "u",      "ul"});

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

struct Tag {
  std::string name;  // lower case
  bool closing = false;
  std::size_t size = 0;  // with its angle brackets
};

bool ends_name(char c) { return c == ' ' || c == '>' || c == '/' || c == '\t' || c == '\r' || c == '\n'; }

// A `>` inside quotes does not end a tag.
std::size_t end_of_tag(Bytes text) {
  char quote = 0;
  for (std::size_t i = 1; i < std::min(text.size(), kTagSizeMax); ++i) {
    const char c = text[i];
    if (quote != 0 ? c == quote : c == '"' || c == '\'')
      quote = quote != 0 ? '\0' : c;
    else if (quote == 0 && c == '>')
      return i + 1;
  }
  return 0;
}

std::optional<Tag> tag_at(Bytes text) {
  Tag tag;
  tag.size = end_of_tag(text);
  if (tag.size == 0) {  // a quote that nobody closes: the first `>` after all
    const std::size_t end = text.substr(0, kTagSizeMax).find('>');
    if (end == Bytes::npos) return std::nullopt;
    tag.size = end + 1;
  }
  std::size_t at = 1;
  if (text[at] == '/') tag.closing = ++at > 0;
  for (; at < tag.size - 1 && !ends_name(text[at]); ++at) tag.name += lower(text[at]);
  return tag;
}

bool is_named(const Tag& tag, TagNames names) {
  return std::ranges::any_of(names, [&](std::string_view name) {
    const bool beginning = name.ends_with('=') || name.ends_with('#');
    return beginning ? tag.name.starts_with(name) : tag.name == name;
  });
}

bool is_comment(Bytes text) { return text.starts_with("<!"); }

std::size_t comment_size(Bytes text) {
  const Bytes closing = text.starts_with("<!--") ? "-->" : ">";
  const std::size_t end = text.find(closing, 2);
  return end == Bytes::npos ? 0 : end + closing.size();
}

struct Reference {
  char32_t code_point = 0;
  std::size_t size = 0;
};

std::optional<Reference> numbered(Bytes digits, std::size_t size) {
  const bool hexadecimal = !digits.empty() && lower(digits.front()) == 'x';
  if (hexadecimal) digits.remove_prefix(1);
  std::uint32_t value = 0;
  const char* last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, value, hexadecimal ? 16 : 10);
  if (digits.empty() || error != std::errc{} || end != last || value == 0) return std::nullopt;
  return Reference{value, size};
}

std::optional<Reference> reference_at(Bytes text) {
  const std::size_t end = text.substr(0, kReferenceSizeMax).find(';');
  if (end == Bytes::npos || end < 2) return std::nullopt;
  const Bytes name = text.substr(1, end - 1);
  if (name.front() == '#') return numbered(name.substr(1), end + 1);
  struct Known {
    std::string_view name;
    char32_t code_point;
  };
  static constexpr auto kKnown = std::to_array<Known>({{"lt", U'<'},
                                                       {"gt", U'>'},
                                                       {"amp", U'&'},
                                                       {"quot", U'"'},
                                                       {"apos", U'\''},
                                                       {"nbsp", U' '},
                                                       {"copy", 0xa9},
                                                       {"reg", 0xae},
                                                       {"euro", 0x20ac}});
  for (const Known& known : kKnown)
    if (known.name == name) return Reference{known.code_point, end + 1};
  return std::nullopt;
}

class HtmlText {
 public:
  explicit HtmlText(Bytes html) : rest_(html) { text_.reserve(html.size()); }

  std::string read() {
    while (!rest_.empty()) {
      const std::size_t special = std::min(rest_.find_first_of("<&"), rest_.size());
      text_ += rest_.substr(0, special);
      rest_.remove_prefix(special);
      if (!rest_.empty()) read_special();
    }
    while (breaks_at_end_ > 0 && text_.ends_with('\n')) {
      text_.pop_back();
      --breaks_at_end_;
    }
    return std::move(text_);
  }

 private:
  void read_special() {
    if (rest_.front() == '&') return read_reference();
    if (comments_end_ && is_comment(rest_)) {
      const std::size_t size = comment_size(rest_);
      if (size > 0) return rest_.remove_prefix(size);
      comments_end_ = false;
    }
    const auto tag = tag_at(rest_);
    if (!tag || !is_named(*tag, kHtmlTags)) return take_one();
    rest_.remove_prefix(tag->size);
    if (tag->name == "br" || (tag->closing && (tag->name == "p" || tag->name == "div" || tag->name == "li"))) {
      text_ += '\n';
      breaks_at_end_ = tag->name == "br" ? 0 : breaks_at_end_ + 1;
    }
    if (!tag->closing && (tag->name == "title" || tag->name == "style" || tag->name == "script")) skip_to(tag->name);
  }

  void read_reference() {
    const auto reference = reference_at(rest_);
    if (!reference) return take_one();
    append_utf8(text_, reference->code_point);
    rest_.remove_prefix(reference->size);
  }

  void take_one() {
    text_ += rest_.front();
    rest_.remove_prefix(1);
  }

  // An element that nobody closes is not looked for again: a text of nothing else would take time by the square.
  void skip_to(const std::string& name) {
    if (!elements_end_) return;
    for (std::size_t at = rest_.find("</"); at != Bytes::npos; at = rest_.find("</", at + 2)) {
      const auto tag = tag_at(rest_.substr(at));
      if (tag && tag->name == name) return rest_.remove_prefix(at);
    }
    elements_end_ = false;
  }

  Bytes rest_;
  std::string text_;
  bool comments_end_ = true;
  bool elements_end_ = true;
  std::size_t breaks_at_end_ = 0;  // the last paragraph's own end is no line break
};

}  // namespace

bool has_html(Bytes text) {
  for (std::size_t at = text.find_first_of("<&"); at != Bytes::npos; at = text.find_first_of("<&", at + 1)) {
    const Bytes rest = text.substr(at);
    if (rest.front() == '&' ? reference_at(rest).has_value() : rest.starts_with("<!--")) return true;
    if (rest.front() != '<') continue;
    const auto tag = tag_at(rest);
    if (tag && is_named(*tag, kHtmlTags)) return true;
  }
  return false;
}

std::string html_to_text(Bytes html) { return HtmlText{html}.read(); }

std::string without_tags(Bytes text, TagNames names) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t next = std::min(text.find('<'), text.size());
    out += text.substr(0, next);
    text.remove_prefix(next);
    if (text.empty()) break;
    const auto tag = tag_at(text);
    const std::size_t size = tag && is_named(*tag, names) ? tag->size : 0;
    if (size == 0) out += text.front();
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

}  // namespace chancery
