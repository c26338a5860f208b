#pragma once
// One term of a lexicon: words, with `*` for any letters of one word ("guarant*", "*coin", "pump * dump"), `\*` for a
// star itself. Its longest literal piece is the *anchor* that Hyperscan looks for; the rest is checked at each hit.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/lexicon/boundary.h"
#include "policy/lexicon/fold.h"

namespace chancery::policy {

inline constexpr std::size_t kPiecesMax = 8;          // literal pieces between the stars of one term
inline constexpr std::uint32_t kStretchMax = 128;     // octets that one `*` can stand for
inline constexpr std::size_t kWildcardAnchorMin = 2;  // characters in a row that a term with a star must hold

struct Range {
  std::uint32_t begin = 0, end = 0;
  bool operator==(const Range&) const = default;
};

class Term {
 public:
  // Errors, as a sentence: "nothing to look for", …
  static std::optional<Term> parse(std::string_view text, const Folder& folder, std::string& error);

  const std::string& anchor() const { return pieces_[anchor_]; }
  bool is_plain() const { return pieces_.size() == 1 && !open_begin_ && !open_end_; }

  // The anchor ends at octet `anchor_end` of the folded `text`, which `boundaries` looks at: does the whole term stand
  // there, as whole words? A star at an end takes in the rest of its word.
  std::optional<Range> match(std::string_view text, std::uint32_t anchor_end, Boundaries& boundaries) const;

 private:
  std::optional<std::uint32_t> end_after(std::string_view text, std::uint32_t from, Boundaries& boundaries) const;
  std::optional<std::uint32_t> begin_before(std::string_view text, std::uint32_t from, Boundaries& boundaries) const;

  std::vector<std::string> pieces_;  // not empty, none of them empty
  std::size_t anchor_ = 0;
  bool open_begin_ = false;  // begins with a star
  bool open_end_ = false;
};

}  // namespace chancery::policy
