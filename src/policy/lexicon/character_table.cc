#include "policy/lexicon/character_table.h"

#include <memory>
#include <stdexcept>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include "policy/lexicon/confusables.h"

namespace chancery::policy {
namespace {

constexpr char32_t kDotAbove = 0x0307;
constexpr char32_t kDotlessI = 0x0131;
constexpr std::uint32_t kPagesAtStart = 0x30;  // Latin to Georgian, punctuation; the rest when first met

const icu::Normalizer2& normalizer() {
  UErrorCode status = U_ZERO_ERROR;
  const auto* instance = icu::Normalizer2::getNFKCCasefoldInstance(status);
  if (U_FAILURE(status)) throw std::runtime_error("ICU has no normalization data");
  return *instance;
}

CharacterFact fact_of(char32_t c) {
  const auto& rules = normalizer();
  const auto point = static_cast<UChar32>(c);
  CharacterFact fact{};
  fact.alone = Alone::ask_icu;
  fact.begins_piece = rules.hasBoundaryBefore(point) != 0;
  char32_t folded = c;
  if (!rules.isInert(point)) {
    UErrorCode status = U_ZERO_ERROR;
    const auto all = rules.normalize(icu::UnicodeString(point), status);
    if (U_FAILURE(status)) throw std::runtime_error("ICU cannot normalize");  // out of memory
    if (all.isEmpty()) fact.alone = Alone::nothing;
    if (all.countChar32() != 1) return fact;
    folded = static_cast<char32_t>(all.char32At(0));
  }
  folded = to_plain(folded);
  if (is_absorbed(folded, true)) return fact;
  fact.alone = is_blank(folded) ? Alone::blank : is_dropped_control(folded) ? Alone::nothing : Alone::becomes;
  fact.to = folded & 0x1fffff;
  fact.is_word = is_word_character(folded);
  fact.looks_latin = folded >= 0x80 && lookalike(folded) != 0;
  return fact;
}

}  // namespace

char32_t to_plain(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  if (c == 0x2018 || c == 0x2019 || c == 0x02bc || c == 0x02b9 || c == 0x2032) return '\'';
  if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212) return '-';
  return c == kDotlessI ? U'i' : c;
}

bool is_blank(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
  return u_isUWhiteSpace(static_cast<UChar32>(c)) != 0;
}

bool is_dropped_control(char32_t c) {
  if (c < 0x80) return c < 0x20 || c == 0x7f;
  return u_charType(static_cast<UChar32>(c)) == U_CONTROL_CHAR;
}

// Canonical combining class 1 = overlays: strike-throughs and slashes that did not compose.
bool is_absorbed(char32_t c, bool follows_i) {
  if (c < 0x300) return false;
  return (c == kDotAbove && follows_i) || u_getCombiningClass(static_cast<UChar32>(c)) == 1;
}

bool is_word_character(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  const auto point = static_cast<UChar32>(c);
  return u_isalnum(point) != 0 || (U_GET_GC_MASK(point) & U_GC_M_MASK) != 0;
}

const CharacterTable& CharacterTable::get() {
  static const CharacterTable table;
  return table;
}

CharacterTable::CharacterTable() {
  for (std::uint32_t number = 0; number < kPagesAtStart; ++number) make(number);
}

CharacterTable::~CharacterTable() {
  for (auto& page : pages_) delete page.load();
}

const CharacterTable::Page& CharacterTable::make(std::uint32_t number) const {
  auto page = std::make_unique<Page>();
  for (std::uint32_t i = 0; i < page->size(); ++i) (*page)[i] = fact_of(static_cast<char32_t>(number << 8 | i));
  const Page* there = nullptr;
  if (pages_[number].compare_exchange_strong(there, page.get(), std::memory_order_acq_rel)) return *page.release();
  return *there;  // another thread was faster
}

}  // namespace chancery::policy
