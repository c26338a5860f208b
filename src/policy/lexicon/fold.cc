#include "policy/lexicon/fold.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "policy/lexicon/character_table.h"
#include "policy/lexicon/confusables.h"
#include "policy/lexicon/fold_ascii.h"
#include "policy/lexicon/folded_writer.h"
#include "policy/lexicon/walk.h"

namespace chancery::policy {
namespace {

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

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }
bool is_wide(char c) { return static_cast<unsigned char>(c) >= 0x80; }

struct Character {
  CharacterFact fact;
  std::uint32_t begin = 0, end = 0;
};

// One text on its way through.
class Folding {
 public:
  Folding(std::string_view text, Folded& out)
      : text_(text), size_(static_cast<std::uint32_t>(text.size())), writer_(text.size(), out) {}

  // Whether look-alike letters may stand beside Latin ones in a word.
  struct Seen {
    bool lookalike = false, mixed = false;
  };
  Seen run() {
    for (std::uint32_t at = 0; at < size_;) {
      if (!is_wide(text_[at])) {
        at = ascii(at);
      } else {
        const std::uint32_t end = writer_.in_alphabet(text_, at, table_);
        at = end > at ? end : wide(read(at));
      }
    }
    writer_.finish();
    return {writer_.saw_lookalike(), writer_.saw_mixed()};
  }

 private:
  Character read(std::uint32_t at) const {
    Character character;
    character.begin = character.end = at;
    character.fact = table_[next_character(text_, character.end)];
    return character;
  }

  // ASCII up to the next character that is not; the last of it may be combined with that one.
  std::uint32_t ascii(std::uint32_t begin) {
    std::uint32_t end = begin + wide_octet_in(text_.substr(begin));
    if (end == size_) return writer_.ascii(text_.substr(begin), begin), end;
    const Character next = read(end);
    if (!next.fact.begins_piece) --end;
    writer_.ascii(text_.substr(begin, end - begin), begin);
    return next.fact.begins_piece ? wide(next) : piece(end);
  }

  // A character that is not ASCII, and what it is combined with.
  std::uint32_t wide(const Character& now) {
    if (now.end < size_ && is_wide(text_[now.end]) && !read(now.end).fact.begins_piece) return piece(now.begin);
    alone(now);
    return now.end;
  }

  void alone(const Character& character) {
    const CharacterFact fact = character.fact;
    if (fact.alone == Alone::becomes)
      writer_.becomes(fact, character.begin, character.end);
    else if (fact.alone == Alone::blank)
      writer_.blank(character.begin, character.end);
    else if (fact.alone == Alone::ask_icu)
      writer_.ask_icu(text_, character.begin, character.end);
  }

  // A character and those behind it that can combine with it.
  std::uint32_t piece(std::uint32_t begin) {
    std::uint32_t end = begin;
    next_character(text_, end);
    while (end < size_ && is_wide(text_[end])) {
      const Character next = read(end);
      if (next.fact.begins_piece) break;
      end = next.end;
    }
    writer_.ask_icu(text_, begin, end);
    return end;
  }

  const CharacterTable& table_ = CharacterTable::get();
  const std::string_view text_;
  const std::uint32_t size_;
  FoldedWriter writer_;
};

}  // namespace

const Folded::Span& Folded::span_of(std::uint32_t folded) const {
  return *std::prev(std::ranges::upper_bound(spans_, folded, {}, &Span::folded));
}

std::pair<std::uint32_t, std::uint32_t> Folded::original(std::uint32_t begin, std::uint32_t end) const {
  if (spans_.empty()) return {begin, end};
  const Span &first = span_of(begin), &last = span_of(end - 1);
  while (begin > first.folded && is_continuation(octets_[begin])) --begin;
  while (end < size_ && is_continuation(octets_[end])) ++end;
  return {first.in_step ? first.begin + (begin - first.folded) : first.begin,
          last.in_step ? last.begin + (end - last.folded) : last.end};
}

Folder::Folder(Fold options) : options_(options) {
  CharacterTable::get();  // made now, not at the first message
}

void Folder::fold(std::string_view text, Folded& out) const {
  if (!fold_plain(text, out)) {
    const Folding::Seen seen = Folding(text, out).run();
    const bool confusing = options_.confusables == Confusables::all ? seen.lookalike : seen.lookalike && seen.mixed;
    if (confusing && options_.confusables != Confusables::off) unconfuse(out);
  }
  if (options_.leet)
    for (char& c : std::span(out.octets_).first(out.size_)) c = kLeet[static_cast<unsigned char>(c)];
}

// Printable ASCII with single blanks keeps every octet in its place. False: it is not such.
bool Folder::fold_plain(std::string_view text, Folded& out) const {
  out.spans_.clear();
  if (out.octets_.size() < text.size() + sizeof(std::uint64_t)) out.octets_.resize(text.size() + sizeof(std::uint64_t));
  out.size_ = lower_plain(text, ' ' - 1, out.octets_.data());
  return out.size_ == text.size();
}

// Look-alike letters become the ASCII letters they pass for: in every word (`all`), or only in words that hold an
// ASCII letter besides (`mixed`), which leaves honest Cyrillic and Greek words alone. Rare, so it may take a copy.
void Folder::unconfuse(Folded& folded) const {
  const Folded plain = std::exchange(folded, {});
  const auto text = plain.text();
  FoldedWriter writer(text.size(), folded);
  const auto write = [&](std::uint32_t from, std::uint32_t to, bool latin) {
    while (from < to) {
      const std::uint32_t begin = from;
      const char32_t c = next_character(text, from);
      const char letter = latin && c >= 0x80 && is_word_character(c) ? lookalike(c) : '\0';
      const auto [first, last] = plain.original(begin, from);
      writer.put(letter != 0 ? static_cast<unsigned char>(letter) : c, first, last);
    }
  };
  for (std::uint32_t begin = 0, end = 0; begin < text.size(); begin = end) {
    bool latin = options_.confusables == Confusables::all;
    for (std::uint32_t next = end; next < text.size(); end = next) {
      const char32_t c = next_character(text, next);
      if (!is_word_character(c)) break;
      latin = latin || (c >= 'a' && c <= 'z');
    }
    if (end == begin) next_character(text, end);
    write(begin, end, latin);
  }
  writer.finish();
}

}  // namespace chancery::policy
