#pragma once
// Writes a Folded, octet by octet and span by span, and does what NFKC_Casefold leaves undone: one blank for a run of
// them, no controls, overlays absorbed by the character they strike through.
#include <cstdint>
#include <string_view>

#include "policy/lexicon/character_table.h"
#include "policy/lexicon/fold.h"

namespace chancery::policy {

class FoldedWriter {
 public:
  // For a text of `size` octets. `out` is emptied.
  FoldedWriter(std::size_t size, Folded& out);

  // ASCII text from octet `begin` of the original.
  void ascii(std::string_view text, std::uint32_t begin);
  // The plain way through text of one alphabet: characters of up to three octets that each become one of as many.
  // Returns where the first other one begins, which may be `begin`.
  std::uint32_t in_alphabet(std::string_view text, std::uint32_t begin, const CharacterTable& table);
  // What octets [begin, end) become.
  void becomes(CharacterFact fact, std::uint32_t begin, std::uint32_t end);
  void blank(std::uint32_t begin, std::uint32_t end);
  void ask_icu(std::string_view text, std::uint32_t begin, std::uint32_t end);
  void put(char32_t c, std::uint32_t begin, std::uint32_t end);
  void finish();

  bool saw_lookalike() const { return saw_lookalike_; }
  bool saw_mixed() const { return saw_mixed_; }  // an ASCII letter or digit beside another alphabet's

 private:
  void add(char32_t c, std::uint32_t begin, std::uint32_t end);
  void make_room(std::size_t octets);
  void in_step(std::uint32_t begin);
  void together(std::uint32_t begin, std::uint32_t end);
  void absorb(std::uint32_t end);
  void ascii_octet(char c, std::uint32_t at);
  char last() const { return size_ == 0 ? '\0' : out_.octets_[size_ - 1]; }

  Folded& out_;
  std::size_t size_ = 0;
  bool saw_lookalike_ = false, saw_mixed_ = false;
  bool wide_word_ = false;  // the last character written, if it is not ASCII, is of a word
};

}  // namespace chancery::policy
