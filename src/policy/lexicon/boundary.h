#pragma once
// Where words begin and end, for a hit to be a word and not a part of one ("fox" is not in "firefox", "ller" not in
// "Müller"). Between two characters lies a boundary unless both are word characters (UTS #18 \w: letters, marks,
// digits, connectors). Scripts that write no spaces (Han, Kana, Thai, Lao, Khmer, Myanmar) are divided by ICU's
// dictionaries.
#include <cstdint>
#include <memory>
#include <string_view>

namespace chancery::policy {

class Boundaries {
 public:
  Boundaries();
  ~Boundaries();
  Boundaries(const Boundaries&) = delete;
  Boundaries& operator=(const Boundaries&) = delete;

  // Look at `text` (folded UTF-8) from now on; it must outlive the next `look_at`. Costs nothing until `at` is asked
  // about a script without spaces.
  void look_at(std::string_view text);

  // Is there a boundary before octet `position`? It must be at a character's beginning, or the end of the text.
  bool at(std::uint32_t position);

  // From `position`, outwards to the end (the beginning) of the word it is in, or that begins (ends) there, at most
  // `octets_max` away.
  std::uint32_t word_end(std::uint32_t position, std::uint32_t octets_max);
  std::uint32_t word_begin(std::uint32_t position, std::uint32_t octets_max);

 private:
  struct Dictionary;
  bool ask_dictionary(std::uint32_t position);
  bool is_word_before(std::uint32_t position) const;
  bool is_word_after(std::uint32_t position) const;

  std::string_view text_;
  std::unique_ptr<Dictionary> dictionary_;  // made when first needed: ICU takes long to open one
  bool dictionary_set_ = false;
};

bool is_word_octet(char c);  // ASCII only

}  // namespace chancery::policy
