#pragma once
// Folding: what a text looks like to the lexicon. Case, compatibility forms (NFKC), invisible characters, runs of
// white space and, as options, look-alike letters and leet spelling are made equal, and an offset map leads back, so
// that a mask covers the right octets of the original. docs/guide/policy.md, "How text is read".
//
//   NFKC_Casefold (UAX #31)   also drops default-ignorable characters: zero-width, soft hyphen, variation selectors
//   i                         İ, ı and "i + dot above" are i: a Turkish keyboard neither hides nor makes a hit
//   white space               a run of any (Unicode White_Space) is one blank
//   controls, overlays        dropped (a strike-through letter is that letter)
//   ’ ‘ ʼ, ‐ ‑ ‒ – — ― −      the ASCII apostrophe, the ASCII hyphen
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/text.h"

namespace chancery::policy {

// A folded text and the way back. Reusable: its buffers keep their capacity.
class Folded {
 public:
  std::string_view text() const { return {octets_.data(), size_}; }
  // The octets of the original that folded octets [begin, end) come from; begin < end. A character that folded to
  // several (ß, ﬁ) is covered whole even if only one of them is in the range.
  std::pair<std::uint32_t, std::uint32_t> original(std::uint32_t begin, std::uint32_t end) const;

 private:
  friend class Folder;
  friend class FoldedWriter;

  // Where the folded octets from `folded` up to the next span come from: either each character from one of the same
  // size, one after another from octet `begin` on (`in_step`), or all of them together from octets [begin, end).
  struct Span {
    std::uint32_t folded = 0, begin = 0, end = 0;
    bool in_step = true;
  };
  const Span& span_of(std::uint32_t folded) const;

  std::vector<char> octets_;  // the first `size_` count
  std::size_t size_ = 0;
  std::vector<Span> spans_;  // empty: every octet stayed in its place
};

class Folder {
 public:
  explicit Folder(Fold options);
  // `text` is UTF-8 (each octet of an ill-formed part counts as one U+FFFD), at most 2^30 octets. Nothing is allocated
  // once `out` has the capacity; ICU is only called for what CharacterTable does not know.
  void fold(std::string_view text, Folded& out) const;

 private:
  bool fold_plain(std::string_view text, Folded& out) const;
  void unconfuse(Folded& folded) const;

  Fold options_;
};

}  // namespace chancery::policy
