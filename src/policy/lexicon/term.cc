#include "policy/lexicon/term.h"

#include <algorithm>
#include <fmt/format.h>
namespace chancery::policy {
namespace {

// Stands for `\*` while a term is folded: private use, left alone by normalization.
constexpr std::string_view kStar = "\uE000";

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(std::ranges::count_if(utf8, [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<Term> Term::parse(std::string_view text, const Folder& folder, std::string& error) {
  std::string escaped{text};
  replace_all(escaped, "\\*", kStar);
  Folded folded;
  folder.fold(escaped, folded);
  auto rest = trimmed(folded.text());

  Term term;
  term.open_begin_ = rest.starts_with('*');
  term.open_end_ = rest.ends_with('*');
  while (!rest.empty()) {
    const auto star = std::min(rest.find('*'), rest.size());
    if (star > 0) replace_all(term.pieces_.emplace_back(rest.substr(0, star)), kStar, "*");
    rest.remove_prefix(std::min(star + 1, rest.size()));
  }
  if (term.pieces_.empty()) {
    error = "nothing to look for: after folding, no character is left";
    return std::nullopt;
  }
  if (term.pieces_.size() > kPiecesMax) {
    error = fmt::format("more than {} pieces between stars", kPiecesMax);
    return std::nullopt;
  }
  for (std::size_t i = 1; i < term.pieces_.size(); ++i)
    if (term.pieces_[i].size() > term.anchor().size()) term.anchor_ = i;
  if (!term.is_plain() && characters(trimmed(term.anchor())) < kWildcardAnchorMin) {
    error = fmt::format("a term with a star needs at least {} characters in a row", kWildcardAnchorMin);
    return std::nullopt;
  }
  return term;
}

std::optional<Range> Term::match(std::string_view text, std::uint32_t anchor_end, Boundaries& boundaries) const {
  const auto begin = begin_before(text, anchor_end - static_cast<std::uint32_t>(anchor().size()), boundaries);
  if (!begin) return std::nullopt;
  const auto end = end_after(text, anchor_end, boundaries);
  if (!end) return std::nullopt;
  return Range{*begin, *end};
}

// The pieces behind the anchor follow octet `from`, a stretch of at most one word before each. The nearest place is
// right for every piece but the last, which must also end a word: so this is linear in the text.
std::optional<std::uint32_t> Term::end_after(std::string_view text, std::uint32_t from, Boundaries& boundaries) const {
  const auto ends_well = [&](std::uint32_t at) { return open_end_ || boundaries.at(at); };
  for (std::size_t i = anchor_ + 1; i < pieces_.size(); ++i) {
    const auto stretch_end = boundaries.word_end(from, kStretchMax);
    const bool last = i + 1 == pieces_.size();
    const auto size = static_cast<std::uint32_t>(pieces_[i].size());
    const auto stands = [&](std::uint32_t at) {
      return text.substr(at).starts_with(pieces_[i]) && (!last || ends_well(at + size));
    };
    auto at = from;
    while (at <= stretch_end && !stands(at)) ++at;
    if (at > stretch_end) return std::nullopt;
    from = at + size;
  }
  if (open_end_) return boundaries.word_end(from, kStretchMax);
  return ends_well(from) ? std::optional{from} : std::nullopt;
}

// The same towards the beginning.
std::optional<std::uint32_t> Term::begin_before(std::string_view text, std::uint32_t from,
                                                Boundaries& boundaries) const {
  const auto begins_well = [&](std::uint32_t at) { return open_begin_ || boundaries.at(at); };
  for (std::size_t i = anchor_; i-- > 0;) {
    const auto stretch_begin = boundaries.word_begin(from, kStretchMax);
    const auto size = static_cast<std::uint32_t>(pieces_[i].size());
    const auto stands = [&](std::uint32_t end) {
      return text.substr(0, end).ends_with(pieces_[i]) && (i > 0 || begins_well(end - size));
    };
    auto end = from;
    while (end > stretch_begin && !stands(end)) --end;
    if (!stands(end)) return std::nullopt;
    from = end - size;
  }
  if (open_begin_) return boundaries.word_begin(from, kStretchMax);
  return begins_well(from) ? std::optional{from} : std::nullopt;
}

}  // namespace chancery::policy
