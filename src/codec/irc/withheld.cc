#include "codec/irc/withheld.h"

#include <algorithm>
#include <array>

namespace chancery::irc {
namespace {

// The list without its withheld mechanisms, in the order it had.
std::string offered(const Line& line, Span mechanisms) {
  std::string left;
  for (const Span each : split_list(line, mechanisms)) {
    if (is_withheld_mechanism(line.text(each))) continue;
    if (!left.empty()) left += ',';
    left += line.text(each);
  }
  return left;
}

bool any_withheld(const Line& line, Span mechanisms) {
  return std::ranges::any_of(split_list(line, mechanisms),
                             [&](Span each) { return is_withheld_mechanism(line.text(each)); });
}

}  // namespace

bool is_withheld_capability(Bytes name) {
  constexpr std::array<std::string_view, 4> kWithheld{"sts", "draft/sts", "tls", "draft/multiline"};
  return std::ranges::find(kWithheld, name) != kWithheld.end();
}

bool is_withheld_mechanism(Bytes name) {
  std::string upper{name};  // some servers take a mechanism in any case
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return upper == "EXTERNAL" || upper.ends_with("-PLUS");
}

std::vector<Span> split_words(const Line& line, Span list) {
  std::vector<Span> words;
  for (std::uint32_t at = list.begin; at < list.end;) {
    std::uint32_t end = at;
    while (end < list.end && line.wire()[end] != ' ') ++end;
    if (end > at) words.push_back({at, end});
    at = end + 1;
  }
  return words;
}

std::vector<Edit> withhold_capabilities(const Line& line, Span list) {
  constexpr std::string_view kSasl = "sasl=";
  std::vector<Edit> edits;
  for (const Span each : split_words(line, list)) {
    const Bytes token = line.text(each);
    const std::uint32_t after = each.end + (each.end < list.end ? 1 : 0);  // the space goes with the word
    if (is_withheld_capability(token.substr(0, token.find('=')))) {
      edits.push_back({each.begin, after, {}});
    } else if (token.starts_with(kSasl)) {
      const Span mechanisms{each.begin + static_cast<std::uint32_t>(kSasl.size()), each.end};
      if (!any_withheld(line, mechanisms)) continue;
      const std::string left = offered(line, mechanisms);
      edits.push_back(left.empty() ? Edit{each.begin, after, {}} : Edit{mechanisms.begin, mechanisms.end, left});
    }
  }
  // A list written without ':' may have become empty, and an empty parameter needs it.
  if (!edits.empty() && !line.last_is_trailing()) edits.insert(edits.begin(), {list.begin, list.begin, ":"});
  return edits;
}

std::vector<Edit> withhold_mechanisms(const Line& line, Span list) {
  if (!any_withheld(line, list)) return {};
  const std::string left = offered(line, list);
  return {{list.begin, list.end, left.empty() ? "*" : left}};
}

}  // namespace chancery::irc
