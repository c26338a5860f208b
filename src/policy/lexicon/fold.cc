#include "policy/lexicon/fold.h"

#include <array>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <unicode/bytestream.h>
#include <unicode/edits.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>

#include "policy/lexicon/confusables.h"
#include "policy/lexicon/walk.h"

namespace chancery::policy {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080U;

constexpr std::uint64_t every(unsigned octet) { return 0x0101010101010101U * octet; }

// The high bit of each octet that is below `n`; octets are below 0x80, n ≤ 0x80.
constexpr std::uint64_t below(std::uint64_t octets, unsigned n) { return ~(octets + every(0x80 - n)) & kHighBits; }

constexpr std::uint64_t to_lower(std::uint64_t octets) {
  const auto letters = below(octets, 'Z' + 1) & ~below(octets, 'A');
  return octets | (letters >> 2);  // 0x80 >> 2 is the bit by which 'A' and 'a' differ
}

constexpr bool is_control(unsigned char c) { return c < 0x20 || c == 0x7f; }
constexpr bool is_blank(unsigned char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Digits and signs that stand for letters. Terms are folded alike, so "401k" is still found.
constexpr auto kLeet = [] {
  std::array<char, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<char>(i);
  for (const auto& [from, to] : std::to_array<std::pair<unsigned char, char>>({{'0', 'o'},
                                                                               {'1', 'i'},
                                                                               {'3', 'e'},
                                                                               {'4', 'a'},
                                                                               {'5', 's'},
                                                                               {'7', 't'},
                                                                               {'8', 'b'},
                                                                               {'@', 'a'},
                                                                               {'$', 's'},
                                                                               {'!', 'i'},
                                                                               {'|', 'i'},
                                                                               {'+', 't'}}))
    table[from] = to;
  return table;
}();

constexpr char32_t kDotAbove = 0x0307;
constexpr char32_t kDotlessI = 0x0131;

char32_t to_ascii_punctuation(char32_t c) {
  if (c == 0x2018 || c == 0x2019 || c == 0x02bc || c == 0x02b9 || c == 0x2032) return '\'';
  if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212) return '-';
  return c;
}

bool is_word(char32_t c) {
  const auto point = static_cast<UChar32>(c);
  return u_isalnum(point) || (U_GET_GC_MASK(point) & U_GC_M_MASK) != 0;
}

}  // namespace

// A folded character and where it comes from.
struct Folder::Point {
  char32_t c = 0;
  std::uint32_t begin = 0, end = 0;
};

Folder::Folder(Fold options) : options_(options) {
  if (options_.confusables != Confusables::off) lookalike(0);  // make the table now, not at the first message
}

void Folder::fold(std::string_view text, Folded& out) const {
  if (fold_plain(text, out)) return;
  const bool ascii = std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii)
    fold_ascii(text, out);
  else
    fold_unicode(text, out);
}

void Folder::leet(std::string& text) const {
  if (!options_.leet) return;
  for (char& c : text) c = kLeet[static_cast<unsigned char>(c)];
}

// Printable ASCII with single blanks keeps every octet in its place: eight octets at a time. False: it is not such.
bool Folder::fold_plain(std::string_view text, Folded& out) const {
  bool plain = true;
  const auto size = text.size();
  out.text_.resize_and_overwrite(size, [&](char* to, std::size_t) {  // libstdc++ 12 passes the capacity
    std::uint64_t before_blank = 0;                                  // was the octet before these eight a blank?
    for (std::size_t i = 0; i < size; i += sizeof(std::uint64_t)) {
      const auto n = std::min(sizeof(std::uint64_t), size - i);
      std::uint64_t octets = every('x');
      std::memcpy(&octets, text.data() + i, n);
      const auto high = octets & kHighBits;
      const auto control = below(octets & ~kHighBits, 0x20) | (~below(octets & ~kHighBits, 0x7f) & kHighBits);
      const auto blank = below(octets & ~kHighBits, 0x21);
      static_assert(std::endian::native == std::endian::little);
      const auto doubled = blank & ((blank << 8) | before_blank);
      if ((high | control | doubled) != 0) {
        plain = false;
        return std::size_t{0};
      }
      before_blank = blank >> 56;
      octets = to_lower(octets);
      std::memcpy(to + i, &octets, n);
    }
    return size;
  });
  if (!plain) return false;
  leet(out.text_);
  out.identity_ = true;
  out.ascii_ = true;
  return true;
}

// ASCII with runs of blanks, line ends or controls: octets move, so the map is kept, but ICU is not needed.
void Folder::fold_ascii(std::string_view text, Folded& out) const {
  out.text_.clear();
  out.origins_.clear();
  for (std::uint32_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool blank = is_blank(c);
    if (blank && !out.text_.empty() && out.text_.back() == ' ') {
      out.origins_.back().end = i + 1;
    } else if (blank || !is_control(c)) {
      out.text_ += blank ? ' ' : lower(text[i]);
      out.origins_.push_back({i, i + 1});
    }
  }
  leet(out.text_);
  out.identity_ = false;
  out.ascii_ = true;
}

namespace {

struct Normalized {
  std::string text;
  icu::Edits edits;
};

void normalize(std::string_view text, Normalized& out) {
  UErrorCode status = U_ZERO_ERROR;
  const auto* normalizer = icu::Normalizer2::getNFKCCasefoldInstance(status);
  icu::StringByteSink<std::string> sink(&out.text);
  if (U_SUCCESS(status))
    normalizer->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())), sink,
                              &out.edits, status);
  if (U_FAILURE(status)) throw std::runtime_error("ICU cannot normalize");  // no data or no memory
}

}  // namespace

void Folder::fold_unicode(std::string_view text, Folded& out) const {
  Normalized normal;
  normalize(text, normal);
  std::vector<Point> points;
  points.reserve(normal.text.size());
  const auto add = [&](char32_t c, std::uint32_t begin, std::uint32_t end) {
    c = to_ascii_punctuation(c);
    Point* last = points.empty() ? nullptr : &points.back();
    const bool blank = u_isUWhiteSpace(static_cast<UChar32>(c)) != 0;
    if (blank) c = ' ';
    if (c == kDotlessI) c = 'i';
    // Canonical combining class 1 = overlays: strike-throughs and slashes that did not compose.
    const bool dropped = (blank && last && last->c == ' ') || (c == kDotAbove && last && last->c == 'i') ||
                         (c >= 0x300 && u_getCombiningClass(static_cast<UChar32>(c)) == 1);
    if (dropped) {
      if (last) last->end = end;
    } else if (blank || u_charType(static_cast<UChar32>(c)) != U_CONTROL_CHAR) {
      points.push_back({c, begin, end});
    }
  };

  UErrorCode status = U_ZERO_ERROR;
  for (auto edit = normal.edits.getFineIterator(); edit.next(status);) {
    const auto source = static_cast<std::uint32_t>(edit.sourceIndex());
    const auto source_end = source + static_cast<std::uint32_t>(edit.oldLength());
    const auto begin = static_cast<std::uint32_t>(edit.destinationIndex());
    const auto end = begin + static_cast<std::uint32_t>(edit.newLength());
    for (auto i = begin; i < end;) {
      const auto at = i;
      const auto c = next_character(normal.text, i);
      if (edit.hasChange())
        add(c, source, source_end);
      else
        add(c, source + (at - begin), source + (i - begin));
    }
  }

  unconfuse(points);
  out.text_.clear();
  out.origins_.clear();
  for (const auto& point : points) {
    append_character(out.text_, options_.leet && point.c < 0x80 ? static_cast<unsigned char>(kLeet[point.c]) : point.c);
    out.origins_.resize(out.text_.size(), {point.begin, point.end});
  }
  out.identity_ = false;
  out.ascii_ = std::ranges::all_of(points, [](const Point& point) { return point.c < 0x80; });
}

// Look-alike letters become the ASCII letters they pass for: in every word (`all`), or only in words that hold an
// ASCII letter besides (`mixed`), which leaves honest Cyrillic and Greek words alone.
void Folder::unconfuse(std::vector<Point>& points) const {
  if (options_.confusables == Confusables::off) return;
  for (std::size_t begin = 0; begin < points.size();) {
    std::size_t end = begin;
    bool latin = options_.confusables == Confusables::all;
    for (; end < points.size() && is_word(points[end].c); ++end)
      latin = latin || (points[end].c >= 'a' && points[end].c <= 'z');
    for (std::size_t i = begin; latin && i < end; ++i)
      if (const char letter = lookalike(points[i].c)) points[i].c = static_cast<unsigned char>(letter);
    begin = end == begin ? end + 1 : end;
  }
}

}  // namespace chancery::policy
