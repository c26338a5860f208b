#include "policy/lexicon/fold.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <stdexcept>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

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
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  const auto point = static_cast<UChar32>(c);
  return u_isalnum(point) || (U_GET_GC_MASK(point) & U_GC_M_MASK) != 0;
}

}  // namespace

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

const icu::Normalizer2& normalizer() {
  UErrorCode status = U_ZERO_ERROR;
  const auto* instance = icu::Normalizer2::getNFKCCasefoldInstance(status);
  if (U_FAILURE(status)) throw std::runtime_error("ICU has no normalization data");
  return *instance;
}

// What a character below kSimpleEnd alone folds to, where that is one character; 0: ask ICU. Most texts that are not
// ASCII need no more than this.
constexpr char32_t kSimpleEnd = 0x3000;

char32_t fold_alone(char32_t c) {
  const icu::UnicodeString source(static_cast<UChar32>(c));
  UErrorCode status = U_ZERO_ERROR;
  const auto folded = normalizer().normalize(source, status);
  if (U_FAILURE(status) || folded.countChar32() != 1) return 0;
  return static_cast<char32_t>(folded.char32At(0));
}

const std::vector<char32_t>& simple_folds() {
  static const auto table = [] {
    std::vector<char32_t> folds(kSimpleEnd);
    for (char32_t c = 0; c < kSimpleEnd; ++c) folds[c] = fold_alone(c);
    return folds;
  }();
  return table;
}

// Collects folded characters, doing what NFKC_Casefold leaves undone.
template <class Point>
class Collector {
 public:
  explicit Collector(std::vector<Point>& points) : points_(points) { points_.clear(); }

  void add(char32_t c, std::uint32_t begin, std::uint32_t end) {
    if (c >= 0x80) return add_wide(to_ascii_punctuation(c), begin, end);
    const auto octet = static_cast<unsigned char>(c);
    if (is_blank(octet))
      add_blank(begin, end);
    else if (!is_control(octet))
      points_.push_back(
          {static_cast<char32_t>(static_cast<unsigned char>(lower(static_cast<char>(octet)))), begin, end});
  }

 private:
  void add_wide(char32_t c, std::uint32_t begin, std::uint32_t end) {
    const auto point = static_cast<UChar32>(c);
    if (c < 0x80) return points_.push_back({c, begin, end});
    if (c == kDotlessI) return points_.push_back({U'i', begin, end});
    if (u_isUWhiteSpace(point)) return add_blank(begin, end);
    if (u_charType(point) == U_CONTROL_CHAR) return;
    // Canonical combining class 1 = overlays: strike-throughs and slashes that did not compose.
    const bool follows_i = !points_.empty() && points_.back().c == 'i';
    if ((c == kDotAbove && follows_i) || (c >= 0x300 && u_getCombiningClass(point) == 1)) {
      if (!points_.empty()) points_.back().end = end;
      return;
    }
    points_.push_back({c, begin, end});
  }

  void add_blank(std::uint32_t begin, std::uint32_t end) {
    if (!points_.empty() && points_.back().c == ' ')
      points_.back().end = end;
    else
      points_.push_back({U' ', begin, end});
  }

  std::vector<Point>& points_;
};

}  // namespace

Folder::Folder(Fold options) : options_(options) {
  simple_folds();  // make the tables now, not at the first message
  if (options_.confusables != Confusables::off) lookalike(0);
}

void Folder::fold_unicode(std::string_view text, Folded& out) const {
  const auto& rules = normalizer();
  const auto& simple = simple_folds();
  Collector<Folded::Point> collector(out.points_);
  const auto size = static_cast<std::uint32_t>(text.size());
  const auto is_plain = [&](std::uint32_t at) { return at >= size || static_cast<unsigned char>(text[at]) < 0x80; };

  for (std::uint32_t begin = 0, end = 0; begin < size; begin = end) {
    // One piece: a character, and those behind it that can combine with it. ASCII combines with nothing before it.
    const auto first = next_character(text, end);
    bool alone = true;
    for (auto next = end; !is_plain(end); end = next) {
      if (rules.hasBoundaryBefore(static_cast<UChar32>(next_character(text, next)))) break;
      alone = false;
    }
    if (alone && first < kSimpleEnd && simple[first] != 0) {
      collector.add(simple[first], begin, end);
    } else if (alone && rules.isInert(static_cast<UChar32>(first))) {
      collector.add(first, begin, end);
    } else {
      UErrorCode status = U_ZERO_ERROR;
      const auto piece = text.substr(begin, end - begin);
      const auto folded = rules.normalize(
          icu::UnicodeString::fromUTF8(icu::StringPiece(piece.data(), static_cast<std::int32_t>(piece.size()))),
          status);
      if (U_FAILURE(status)) throw std::runtime_error("ICU cannot normalize");  // out of memory
      for (std::int32_t i = 0; i < folded.length(); i = folded.moveIndex32(i, 1))
        collector.add(static_cast<char32_t>(folded.char32At(i)), begin, end);
    }
  }
  unconfuse(out.points_);

  write(out);
}

// From points to octets.
void Folder::write(Folded& out) const {
  out.text_.clear();
  out.ascii_ = true;
  out.origins_.resize(out.points_.size() * 4);  // UTF-8 takes at most four octets a character
  std::size_t size = 0;
  for (const auto& [c, begin, end] : out.points_) {
    if (c < 0x80) {
      out.text_.push_back(options_.leet ? kLeet[c] : static_cast<char>(c));
    } else {
      append_character(out.text_, c);
      out.ascii_ = false;
    }
    while (size < out.text_.size()) out.origins_[size++] = {begin, end};
  }
  out.identity_ = false;
}

// Look-alike letters become the ASCII letters they pass for: in every word (`all`), or only in words that hold an
// ASCII letter besides (`mixed`), which leaves honest Cyrillic and Greek words alone.
void Folder::unconfuse(std::vector<Folded::Point>& points) const {
  if (options_.confusables == Confusables::off) return;
  for (std::size_t begin = 0; begin < points.size();) {
    std::size_t end = begin;
    bool latin = options_.confusables == Confusables::all;
    for (; end < points.size() && is_word(points[end].c); ++end)
      latin = latin || (points[end].c >= 'a' && points[end].c <= 'z');
    for (std::size_t i = begin; latin && i < end; ++i)
      if (const char letter = points[i].c < 0x80 ? '\0' : lookalike(points[i].c))
        points[i].c = static_cast<unsigned char>(letter);
    begin = end == begin ? end + 1 : end;
  }
}

}  // namespace chancery::policy
