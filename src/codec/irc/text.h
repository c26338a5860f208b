#pragma once
// What a person reads in a line of IRC. Formatting codes are left out of the text, so that a code inside a word hides
// the word from no rule, and each run between them is a segment, so that a mask finds its octets again.
// https://modern.ircdocs.horse/formatting
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "event/decision.h"
#include "event/event.h"

namespace chancery::irc {

class TextBuilder {
 public:
  // Octets that stand at `wire_begin` as they are. What is not UTF-8 becomes U+FFFD, each in a segment of its own.
  void add_octets(Bytes octets, std::uint32_t wire_begin);
  // Text that stands for other octets (an escape).
  void add_replaced(Bytes text, std::uint32_t wire_begin, std::uint32_t wire_end);
  TextPart take(TextPart::Role role) &&;

 private:
  void add(Bytes text, std::uint32_t wire_begin, std::uint32_t wire_end, bool as_is);
  TextPart part_;
  bool last_as_is_ = false;
};

// The text of `octets`, which stand at `wire_begin` of the wire, without formatting codes and control characters.
TextPart plain_text(Bytes octets, std::uint32_t wire_begin, TextPart::Role role);

// Replace wire octets [begin, end) by `with`.
struct Edit {
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  Buffer with;
  bool operator==(const Edit&) const = default;
};

// What hides the masked octets of `part`: one `*` for each character where text and wire agree, the whole segment
// where they do not.
std::vector<Edit> mask_edits(const TextPart& part, std::uint32_t number, std::span<const Mask> masks, Bytes wire);

// Applies edits, which may be unsorted; of overlapping ones the first counts and the rest of the other is cut.
Buffer apply_edits(Bytes wire, std::vector<Edit> edits);

}  // namespace chancery::irc
