#pragma once
// What policy said about one event. Plain data: it is journaled with the event and acted on by the codec.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chancery {

// Numbers are part of the journal format.
enum class Verdict : std::uint8_t {
  forward = 1,
  flag = 2,    // forwarded, and marked for review
  redact = 3,  // forwarded with `masks` applied; the record keeps the original
  refuse = 4,  // reaches nobody; the sender is told `notice` in his protocol
  hold = 5,    // taken out of the stream until released
};
std::string_view to_string(Verdict verdict);  // "forward", …

// Octets [begin, end) of Event::texts[part].text that the receiver must not see.
struct Mask {
  std::uint32_t part = 0;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool operator==(const Mask&) const = default;
};

// A fact that a stage asked for and was told. Recorded, so that a decision can be re-run later.
struct Answer {
  std::string query;  // "<what>:<key>", e.g. "notice.shown:signon:alice@im.test"
  std::string value;
  bool operator==(const Answer&) const = default;
};

struct Decision {
  Verdict verdict = Verdict::forward;
  std::string rule;                // id of the rule that decided; empty = nothing matched
  std::vector<std::string> rules;  // every rule that matched, the deciding one included
  std::vector<Mask> masks;         // sorted, not overlapping; only with `redact`
  std::string notice;              // what the sender is told (refuse); plain text
  std::vector<Answer> answers;
  std::string policy_revision;  // hex digest of the policy text
  bool operator==(const Decision&) const = default;
};

}  // namespace chancery
