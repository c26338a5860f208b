#pragma once
// Cuts text into the words that are indexed and searched. A word is a run of letters, digits and marks, folded:
// compatibility forms and case (NFKC_Casefold), then diacritics taken off ("Müller" and "muller" are one word).
//
// Scripts that put no spaces between words (Han, Kana, Hangul, Thai, Lao, Khmer, Burmese) are cut into pairs of
// neighbouring characters, and each character alone is a word too: so any piece of such text is found. An emoji is a
// word. Pure: no files, no state.
#include <cstddef>
#include <string>
#include <string_view>

namespace chancery::archive {

inline constexpr std::size_t kWordSizeMax = 128;  // octets of a folded word; what is longer is cut

// A text that starts with this octet is a list of tags, each started by this octet, which are words as they are.
// Control characters are never part of a word, so no message text can be taken for a tag.
inline constexpr char kTagMark = '\x01';

struct Word {
  std::string_view folded;     // valid during the call
  std::size_t begin = 0;       // octets in the text
  std::size_t end = 0;         // …
  bool same_position = false;  // stands where the word before stands (a character of the pair before)
};

enum class WordsFor : bool {
  index,  // pairs and, at the same position, single characters
  query,  // the fewest words that find the same text: pairs, or the one character
};

class WordSink {
 public:
  virtual ~WordSink() = default;
  virtual bool word(const Word& word) = 0;  // false: stop
};

// False when the sink stopped it. Ill-formed UTF-8 is skipped over.
bool cut_words(std::string_view text, WordsFor purpose, WordSink& sink);

// As `cut_words` folds a whole string that is no running text: an address, a room, a rule's name.
std::string fold(std::string_view text);

}  // namespace chancery::archive
