#include "policy/lexicon/fold_oracle.h"

#include <stdexcept>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "policy/lexicon/confusables.h"
#include "policy/lexicon/walk.h"

namespace chancery::policy {
namespace {

struct Point {
  char32_t c = 0;
  std::uint32_t begin = 0, end = 0;
};
using Points = std::vector<Point>;

const icu::Normalizer2& normalizer() {
  UErrorCode status = U_ZERO_ERROR;
  const auto* instance = icu::Normalizer2::getNFKCCasefoldInstance(status);
  if (U_FAILURE(status)) throw std::runtime_error("ICU has no normalization data");
  return *instance;
}

void add(Points& points, char32_t c, std::uint32_t begin, std::uint32_t end) {
  if (c == 0x2018 || c == 0x2019 || c == 0x02bc || c == 0x02b9 || c == 0x2032) c = '\'';
  if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212) c = '-';
  if (c == 0x131) c = 'i';
  const auto point = static_cast<UChar32>(c);
  if (u_isUWhiteSpace(point) != 0) {
    if (!points.empty() && points.back().c == ' ')
      points.back().end = end;
    else
      points.push_back({U' ', begin, end});
    return;
  }
  if (u_charType(point) == U_CONTROL_CHAR) return;
  const bool follows_i = !points.empty() && points.back().c == 'i';
  if ((c == 0x307 && follows_i) || (c >= 0x300 && u_getCombiningClass(point) == 1)) {
    if (!points.empty()) points.back().end = end;
    return;
  }
  points.push_back({c, begin, end});
}

bool is_word(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  const auto point = static_cast<UChar32>(c);
  return u_isalnum(point) != 0 || (U_GET_GC_MASK(point) & U_GC_M_MASK) != 0;
}

void unconfuse(Points& points, Confusables mode) {
  if (mode == Confusables::off) return;
  for (std::size_t begin = 0, end = 0; begin < points.size(); begin = end) {
    bool latin = mode == Confusables::all;
    for (end = begin; end < points.size() && is_word(points[end].c); ++end)
      latin = latin || (points[end].c >= 'a' && points[end].c <= 'z');
    for (std::size_t i = begin; latin && i < end; ++i)
      if (const char letter = points[i].c < 0x80 ? '\0' : lookalike(points[i].c))
        points[i].c = static_cast<unsigned char>(letter);
    if (end == begin) ++end;
  }
}

char leet(char c) {
  static constexpr std::string_view kFrom = "0134578@$!|+", kTo = "oieastbasiit";
  const auto at = kFrom.find(c);
  return at == std::string_view::npos ? c : kTo[at];
}

}  // namespace

OracleFolded fold_by_icu(std::string_view text, Fold options) {
  Points points;
  const auto size = static_cast<std::uint32_t>(text.size());
  for (std::uint32_t begin = 0, end = 0; begin < size; begin = end) {
    next_character(text, end);
    for (auto next = end; end < size; end = next)
      if (normalizer().hasBoundaryBefore(static_cast<UChar32>(next_character(text, next))) != 0) break;
    UErrorCode status = U_ZERO_ERROR;
    const auto piece = text.substr(begin, end - begin);
    const auto folded = normalizer().normalize(
        icu::UnicodeString::fromUTF8(icu::StringPiece(piece.data(), static_cast<std::int32_t>(piece.size()))), status);
    if (U_FAILURE(status)) throw std::runtime_error("ICU cannot normalize");
    for (std::int32_t i = 0; i < folded.length(); i = folded.moveIndex32(i, 1))
      add(points, static_cast<char32_t>(folded.char32At(i)), begin, end);
  }
  unconfuse(points, options.confusables);
  OracleFolded out;
  for (const auto& [c, begin, end] : points) {
    append_character(out.text, c);
    if (options.leet && c < 0x80) out.text.back() = leet(out.text.back());
    out.origins.resize(out.text.size(), {begin, end});
  }
  return out;
}

}  // namespace chancery::policy
