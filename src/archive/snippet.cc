#include "archive/snippet.h"

#include <algorithm>

#include "archive/words.h"

namespace chancery::archive {
namespace {

struct Found {
  std::string folded;
  std::size_t begin, end;
};

class Collect final : public WordSink {
 public:
  bool word(const Word& word) override {
    (word.same_position ? singles : words).push_back({std::string{word.folded}, word.begin, word.end});
    return true;
  }
  std::vector<Found> words;    // in order, one a position
  std::vector<Found> singles;  // characters of pairs
};

bool is_word(const Found& found, const std::string& wanted, bool prefix) {
  return prefix ? found.folded.starts_with(wanted) : found.folded == wanted;
}

using Marks = std::vector<std::pair<std::size_t, std::size_t>>;

void mark_term(const Collect& all, const Term& term, Marks& marks) {
  const std::size_t size = term.words.size();
  if (size == 0) return;
  for (std::size_t at = 0; at + size <= all.words.size(); ++at) {
    bool whole = true;
    for (std::size_t i = 0; whole && i < size; ++i)
      whole = is_word(all.words[at + i], term.words[i], term.prefix && i + 1 == size);
    if (whole) marks.emplace_back(all.words[at].begin, all.words[at + size - 1].end);
  }
  if (size == 1)
    for (const auto& found : all.singles)
      if (is_word(found, term.words[0], false)) marks.emplace_back(found.begin, found.end);
}

Marks joined(Marks marks) {
  std::ranges::sort(marks);
  Marks out;
  for (const auto& mark : marks) {
    if (!out.empty() && mark.first <= out.back().second)
      out.back().second = std::max(out.back().second, mark.second);
    else
      out.push_back(mark);
  }
  return out;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Goes `count` characters back from `at`, or forth.
std::size_t back(std::string_view text, std::size_t at, std::size_t count) {
  for (; at > 0 && count > 0; --count) {
    --at;
    while (at > 0 && is_continuation(text[at])) --at;
  }
  return at;
}

std::size_t forth(std::string_view text, std::size_t at, std::size_t count) {
  for (; at < text.size() && count > 0; --count) {
    ++at;
    while (at < text.size() && is_continuation(text[at])) ++at;
  }
  return at;
}

constexpr std::string_view kLeftOut = "…";

}  // namespace

Snippet make_snippet(std::string_view text, std::span<const Term> terms, std::size_t width) {
  while (text.starts_with(kTagMark)) text.remove_prefix(1);
  Collect all;
  cut_words(text, WordsFor::index, all);
  Marks marks;
  for (const auto& term : terms) mark_term(all, term, marks);
  marks = joined(std::move(marks));
  std::size_t begin = marks.empty() ? 0 : back(text, marks.front().first, width / 3);
  std::size_t end = forth(text, begin, width);
  if (end == text.size()) begin = back(text, end, width);
  Snippet snippet;
  if (begin > 0) snippet.text = kLeftOut;
  const std::size_t shift = snippet.text.size();
  for (const char c : text.substr(begin, end - begin))
    snippet.text += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? ' ' : c;
  if (end < text.size()) snippet.text += kLeftOut;
  for (const auto& [first, last] : marks)
    if (first >= begin && last <= end) snippet.marks.emplace_back(first - begin + shift, last - begin + shift);
  return snippet;
}

}  // namespace chancery::archive
