#pragma once
// What a person types into `chancery search`, and the filters beside it, turned into one FTS5 expression. The text is
// parsed here and written anew, each word in quotation marks: nothing of it reaches SQL or FTS5 as syntax.
//
//   words            all must occur            budget meeting
//   "a phrase"       these words in a row      "quarterly results"
//   prefix*          words that begin so       confiden*
//   NEAR(a b, n)     at most n words between   NEAR(guarantee return, 3)      n is 10 when left out
//   AND OR NOT ( )   in capitals; NOT binds tightest, then AND, then OR
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace chancery::archive {

inline constexpr std::size_t kQuerySizeMax = 4096;  // octets
inline constexpr int kQueryTermsMax = 64;           // words, phrases and prefixes
inline constexpr int kQueryDepthMax = 32;           // parentheses in each other
inline constexpr std::uint32_t kSearchLimitDefault = 50;
inline constexpr std::uint32_t kSearchLimitMax = 10'000;

struct Query {
  std::string text;               // may be empty: then the filters alone decide
  std::vector<std::string> from;  // any of them: an address, or its part before '@', or a nick
  std::vector<std::string> to;    // likewise, of those addressed (a room's members are not)
  std::vector<std::string> room;  // any of them: a room's address, its part before '@', or a channel
  std::vector<std::string> network, kind, rule, verdict;
  std::optional<Instant> since;  // records read at or after it
  std::optional<Instant> until;  // … and before it
  std::uint32_t limit = kSearchLimitDefault;
};

// A sentence that says what is wrong and what would be right.
using QueryProblem = std::string;

// The MATCH expression over the columns `text` and `tags`; empty when nothing was asked for but time.
std::expected<std::string, QueryProblem> to_match(const Query& query);

// The words, phrases and prefixes that a hit may show, for marking them in a snippet.
struct Term {
  std::vector<std::string> words;  // folded; several: a phrase
  bool prefix = false;             // the last word is the beginning of one
};
std::vector<Term> terms_of(std::string_view text);

// How records are tagged for the filters; month_index.cc writes these.
enum class Tag : char { from = 'f', to = 't', room = 'r', network = 'n', kind = 'k', rule = 'u', verdict = 'v' };
void append_tag(std::string& tags, Tag tag, std::string_view value);

}  // namespace chancery::archive
