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
  std::string_view text() const { return text_; }
  bool is_ascii() const { return ascii_; }
  // The octets of the original that folded octets [begin, end) come from; begin < end. A character that folded to
  // several (ß, ﬁ) is covered whole even if only one of them is in the range.
  std::pair<std::uint32_t, std::uint32_t> original(std::uint32_t begin, std::uint32_t end) const {
    return identity_ ? std::pair{begin, end} : std::pair{origins_[begin].begin, origins_[end - 1].end};
  }

 private:
  friend class Folder;
  struct Origin {
    std::uint32_t begin = 0, end = 0;
  };
  struct Point {  // a folded character and where it comes from
    char32_t c = 0;
    std::uint32_t begin = 0, end = 0;
  };
  std::string text_;
  std::vector<Point> points_;    // only while a text that is not ASCII is folded
  std::vector<Origin> origins_;  // of each folded octet; not used if `identity_`
  bool identity_ = true;         // every octet stayed in its place
  bool ascii_ = true;
};

class Folder {
 public:
  explicit Folder(Fold options);
  // `text` is UTF-8 (each octet of an ill-formed part counts as one U+FFFD), at most 2^31 octets. Plain ASCII text
  // takes no ICU call, and no allocation once `out` has the capacity.
  void fold(std::string_view text, Folded& out) const;

 private:
  bool fold_plain(std::string_view text, Folded& out) const;
  void fold_ascii(std::string_view text, Folded& out) const;
  void fold_unicode(std::string_view text, Folded& out) const;
  void unconfuse(std::vector<Folded::Point>& points) const;
  void write(Folded& out) const;
  void leet(std::string& text) const;

  Fold options_;
};

}  // namespace chancery::policy
