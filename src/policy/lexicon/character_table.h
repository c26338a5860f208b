#pragma once
// What folding makes of each character when it stands alone, as ICU says: asked once for each, page by page, and kept.
// Most texts that are not ASCII need no more than this.
#include <array>
#include <atomic>
#include <cstdint>

namespace chancery::policy {

enum class Alone : std::uint8_t {
  becomes,  // one character: CharacterFact::to
  blank,    // white space
  nothing,  // a control, or a character that is invisible by definition
  ask_icu,  // several characters, or a mark that acts on the one before
};

struct CharacterFact {
  char32_t to : 21;
  Alone alone : 2;
  bool begins_piece : 1;  // never combines with what is before it (Normalizer2::hasBoundaryBefore)
  bool is_word : 1;       // `to` is part of a word in which look-alikes count
  bool looks_latin : 1;   // `to` passes for a Latin letter (confusables.h)
};

class CharacterTable {
 public:
  static const CharacterTable& get();  // the one of this process; any thread
  CharacterFact operator[](char32_t c) const {
    const Page* page = pages_[c >> 8].load(std::memory_order_acquire);
    return (page != nullptr ? *page : make(c >> 8))[c & 0xff];
  }

  CharacterTable(const CharacterTable&) = delete;
  CharacterTable& operator=(const CharacterTable&) = delete;

 private:
  using Page = std::array<CharacterFact, 256>;
  CharacterTable();
  ~CharacterTable();
  const Page& make(std::uint32_t number) const;

  mutable std::array<std::atomic<const Page*>, 0x1100> pages_{};
};

// What NFKC_Casefold leaves undone of one of its characters: punctuation of typographers, Turkish dotless i.
char32_t to_plain(char32_t c);
bool is_blank(char32_t c);
// Dropped, and covered by what is before it: overlays (strike-throughs), and the dot above an i.
bool is_absorbed(char32_t c, bool follows_i);
bool is_dropped_control(char32_t c);
// Of a word in which look-alikes count: letters, digits, marks of any script.
bool is_word_character(char32_t c);

}  // namespace chancery::policy
