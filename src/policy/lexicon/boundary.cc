#include "policy/lexicon/boundary.h"

#include <algorithm>
#include <stdexcept>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>

#include "policy/lexicon/walk.h"

namespace chancery::policy {
namespace {

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

bool is_word(UChar32 c) {
  constexpr std::uint32_t kMask = U_GC_L_MASK | U_GC_M_MASK | U_GC_N_MASK | U_GC_PC_MASK;
  return (U_GET_GC_MASK(c) & kMask) != 0;
}

// Word characters that a dictionary divides: UAX #29 gives them no word-break class of letters.
bool needs_dictionary(UChar32 c) {
  const auto class_of = u_getIntPropertyValue(c, UCHAR_WORD_BREAK);
  return (class_of == U_WB_OTHER || class_of == U_WB_KATAKANA) && u_isalpha(c);
}

UChar32 character_before(std::string_view text, std::uint32_t position) {
  return static_cast<UChar32>(previous_character(text, position));
}

UChar32 character_after(std::string_view text, std::uint32_t position) {
  return static_cast<UChar32>(next_character(text, position));
}

}  // namespace

bool is_word_octet(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || c == '_';
}

struct Boundaries::Dictionary {
  UBreakIterator* words = nullptr;
  UText text = UTEXT_INITIALIZER;

  Dictionary() {
    UErrorCode status = U_ZERO_ERROR;
    words = ubrk_open(UBRK_WORD, "", nullptr, 0, &status);
    if (U_FAILURE(status)) throw std::runtime_error("ICU has no word dictionaries");
  }
  ~Dictionary() {
    ubrk_close(words);
    utext_close(&text);
  }
  Dictionary(const Dictionary&) = delete;
  Dictionary& operator=(const Dictionary&) = delete;

  void set(std::string_view of) {
    UErrorCode status = U_ZERO_ERROR;
    utext_openUTF8(&text, of.data(), static_cast<std::int64_t>(of.size()), &status);
    ubrk_setUText(words, &text, &status);
    if (U_FAILURE(status)) throw std::runtime_error("ICU cannot divide a text into words");
  }
};

Boundaries::Boundaries() = default;
Boundaries::~Boundaries() = default;

void Boundaries::look_at(std::string_view text) {
  text_ = text;
  dictionary_set_ = false;
}

bool Boundaries::at(std::uint32_t position) {
  if (position == 0 || position >= text_.size()) return true;
  const char before = text_[position - 1];
  const char after = text_[position];
  if (is_ascii(before) && is_ascii(after)) return !is_word_octet(before) || !is_word_octet(after);
  const auto left = character_before(text_, position);
  const auto right = character_after(text_, position);
  if (!is_word(left) || !is_word(right)) return true;
  if (!needs_dictionary(left) && !needs_dictionary(right)) return false;
  return ask_dictionary(position);
}

bool Boundaries::is_word_before(std::uint32_t position) const {
  return position > 0 && is_word(character_before(text_, position));
}

bool Boundaries::is_word_after(std::uint32_t position) const {
  return position < text_.size() && is_word(character_after(text_, position));
}

bool Boundaries::ask_dictionary(std::uint32_t position) {
  if (!dictionary_) dictionary_ = std::make_unique<Dictionary>();
  if (!dictionary_set_) dictionary_->set(text_);
  dictionary_set_ = true;
  return ubrk_isBoundary(dictionary_->words, static_cast<std::int32_t>(position)) != 0;
}

std::uint32_t Boundaries::word_end(std::uint32_t position, std::uint32_t octets_max) {
  const auto limit = position + std::min(octets_max, static_cast<std::uint32_t>(text_.size()) - position);
  auto i = position;
  // Between words, the word that begins here is meant.
  if (i < limit && !is_word_before(i) && is_word_after(i)) next_character(text_, i);
  while (i < limit && !at(i)) next_character(text_, i);
  return i;
}

std::uint32_t Boundaries::word_begin(std::uint32_t position, std::uint32_t octets_max) {
  const auto limit = position - std::min(octets_max, position);
  auto i = position;
  if (i > limit && !is_word_after(i) && is_word_before(i)) previous_character(text_, i);
  while (i > limit && !at(i)) previous_character(text_, i);
  return i;
}

}  // namespace chancery::policy
