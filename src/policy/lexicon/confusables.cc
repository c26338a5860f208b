#include "policy/lexicon/confusables.h"

#include <array>
#include <memory>
#include <stdexcept>
#include <unicode/uspoof.h>
#include <unicode/utf16.h>
#include <utility>
#include <vector>

namespace chancery::policy {
namespace {

// Alphabets with letters that look Latin: Latin extended to Georgian, Cherokee and Coptic; Lisu; Vai to Cherokee small
// letters. Full-width and mathematical letters need no entry: NFKC has made them plain.
constexpr std::array kRanges =
    std::to_array<std::pair<char32_t, char32_t>>({{0x0080, 0x2fff}, {0xa4d0, 0xa4ff}, {0xa640, 0xabbf}});
constexpr char32_t kEnd = 0xabc0;

std::vector<char> make_table() {
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<USpoofChecker, void (*)(USpoofChecker*)> checker{uspoof_open(&status), uspoof_close};
  if (U_FAILURE(status)) throw std::runtime_error("ICU has no confusables data");
  std::vector<char> table(kEnd, 0);
  for (const auto& [first, last] : kRanges) {
    for (char32_t c = first; c <= last; ++c) {
      const auto unit = static_cast<UChar>(c);  // all ranges lie in the basic plane
      std::array<UChar, 32> skeleton{};
      status = U_ZERO_ERROR;
      const auto size = uspoof_getSkeleton(checker.get(), 0, &unit, 1, skeleton.data(), skeleton.size(), &status);
      if (U_FAILURE(status) || size != 1) continue;
      const UChar letter = skeleton[0];
      if (letter >= 'a' && letter <= 'z') table[c] = static_cast<char>(letter);
      if (letter >= 'A' && letter <= 'Z') table[c] = static_cast<char>(letter - 'A' + 'a');
    }
  }
  return table;
}

}  // namespace

char lookalike(char32_t c) {
  static const std::vector<char> table = make_table();
  return c < kEnd ? table[c] : '\0';
}

}  // namespace chancery::policy
