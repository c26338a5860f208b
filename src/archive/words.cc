#include "archive/words.h"

#include <algorithm>
#include <cstdint>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

namespace chancery::archive {
namespace {

enum class Class : std::uint8_t {
  none,      // between words
  letter,    // of a word
  mark,      // continues a word, starts none
  unspaced,  // of a script without spaces: pairs
  alone,     // a word by itself
};

bool is_unspaced_script(UChar32 c) {
  if (c == 0x30fc || c == 0xff70) return true;  // prolonged sound marks, whose script is Common
  UErrorCode error = U_ZERO_ERROR;
  switch (uscript_getScript(c, &error)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_HANGUL:
    case USCRIPT_BOPOMOFO:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
      return true;
    default:
      return false;
  }
}

Class class_of(UChar32 c) {
  const auto category = static_cast<std::uint32_t>(U_MASK(u_charType(c)));
  if ((category & (U_GC_L_MASK | U_GC_N_MASK | U_GC_M_MASK)) != 0 && is_unspaced_script(c)) return Class::unspaced;
  if ((category & (U_GC_L_MASK | U_GC_N_MASK | U_GC_CO_MASK)) != 0) return Class::letter;
  if ((category & U_GC_M_MASK) != 0) return Class::mark;
  if ((category & (U_GC_SO_MASK | U_GC_SK_MASK)) != 0 && u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC) != 0)
    return Class::alone;
  return Class::none;
}

bool is_ascii(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  return true;
}

void append_lower(std::string_view text, std::string& out) {
  for (const char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// NFKC_Casefold, then canonical decomposition without its non-spacing marks. Marks of the scripts without spaces are
// vowels and tones, not ornaments, and decomposing Hangul would change what a character is: those stay composed.
void append_folded(std::string_view text, bool strip_marks, std::string& out) {
  UErrorCode error = U_ZERO_ERROR;
  const auto* casefold = icu::Normalizer2::getNFKCCasefoldInstance(error);
  const auto* decompose = icu::Normalizer2::getNFDInstance(error);
  if (U_FAILURE(error)) return append_lower(text, out);
  icu::UnicodeString folded =
      casefold->normalize(icu::UnicodeString::fromUTF8({text.data(), static_cast<int>(text.size())}), error);
  if (strip_marks) folded = decompose->normalize(folded, error);
  icu::UnicodeString kept;
  for (int i = 0; i < folded.length(); i = folded.moveIndex32(i, 1)) {
    const UChar32 c = folded.char32At(i);
    if (!strip_marks || u_charType(c) != U_NON_SPACING_MARK) kept.append(c);
  }
  kept.toUTF8String(out);
}

// Cut at a character, so that index and query cut alike.
void limit_size(std::string& word) {
  if (word.size() <= kWordSizeMax) return;
  std::size_t size = kWordSizeMax;
  while (size > 0 && (static_cast<unsigned char>(word[size]) & 0xc0) == 0x80) --size;
  word.resize(size);
}

struct Character {
  UChar32 code = 0;
  std::size_t begin = 0, end = 0;
  Class kind = Class::none;
};

class Cutter {
 public:
  Cutter(std::string_view text, WordsFor purpose, WordSink& sink) : text_(text), purpose_(purpose), sink_(sink) {}

  bool run() {
    Character c = read(0);
    while (c.begin < text_.size()) {
      switch (c.kind) {
        case Class::letter:
          if (!letters(c)) return false;
          break;
        case Class::unspaced:
          if (!unspaced(c)) return false;
          break;
        case Class::alone:
          if (!emit(c.begin, c.end, false, false)) return false;
          c = read(c.end);
          break;
        default:
          c = read(c.end);
      }
    }
    return true;
  }

 private:
  Character read(std::size_t at) const {
    Character c{0, at, at, Class::none};
    if (at >= text_.size()) return c;
    const auto first = static_cast<unsigned char>(text_[at]);
    if (first < 0x80) {
      const bool alnum = (first >= '0' && first <= '9') || ((first | 32) >= 'a' && (first | 32) <= 'z');
      return {first, at, at + 1, alnum ? Class::letter : Class::none};
    }
    const auto* octets = reinterpret_cast<const std::uint8_t*>(text_.data());
    std::size_t next = at;
    U8_NEXT(octets, next, text_.size(), c.code);
    c.end = next;
    if (c.code >= 0) c.kind = class_of(c.code);
    return c;
  }

  // From `c` to the end of its run of letters, as one word; `c` is then what follows.
  bool letters(Character& c) {
    const std::size_t begin = c.begin;
    while (c.begin < text_.size() && (c.kind == Class::letter || c.kind == Class::mark)) c = read(c.end);
    return emit(begin, c.begin, false, true);
  }

  // "ABC" is, for the index: AB, A here, BC, B and C here. For a query: AB, BC; and one character is itself.
  bool unspaced(Character& c) {
    Character previous = c;
    c = read(c.end);
    if (c.kind != Class::unspaced) return emit(previous.begin, previous.end, false, false);
    while (true) {
      if (!emit(previous.begin, c.end, false, false)) return false;
      if (purpose_ == WordsFor::index && !emit(previous.begin, previous.end, true, false)) return false;
      const Character last = c;
      c = read(c.end);
      if (c.kind != Class::unspaced) return purpose_ == WordsFor::query || emit(last.begin, last.end, true, false);
      previous = last;
    }
  }

  bool emit(std::size_t begin, std::size_t end, bool same_position, bool strip_marks) {
    const std::string_view piece = text_.substr(begin, end - begin);
    folded_.clear();
    if (is_ascii(piece))
      append_lower(piece, folded_);
    else
      append_folded(piece, strip_marks, folded_);
    limit_size(folded_);
    if (folded_.empty()) return true;
    return sink_.word({folded_, begin, end, same_position});
  }

  std::string_view text_;
  WordsFor purpose_;
  WordSink& sink_;
  std::string folded_;
};

bool cut_tags(std::string_view tags, WordSink& sink) {
  for (std::size_t at = 0; at < tags.size();) {
    const std::size_t end = std::min(tags.find(kTagMark, at + 1), tags.size());
    if (end > at + 1 && !sink.word({tags.substr(at + 1, end - at - 1), at + 1, end, false})) return false;
    at = end;
  }
  return true;
}

}  // namespace

bool cut_words(std::string_view text, WordsFor purpose, WordSink& sink) {
  if (!text.empty() && text.front() == kTagMark) return cut_tags(text, sink);
  return Cutter{text, purpose, sink}.run();
}

std::string fold(std::string_view text) {
  std::string folded;
  if (is_ascii(text))
    append_lower(text, folded);
  else
    append_folded(text, true, folded);
  return folded;
}

}  // namespace chancery::archive
