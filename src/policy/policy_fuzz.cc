// Octets become a policy text and a message: the first line says where one ends. Whatever they are: a policy is
// compiled or refused by a yaml::Error, masks lie in the text, are sorted and apart, and judging twice gives the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "policy/compile.h"
#include "policy/selftest.h"

namespace {

using namespace chancery;

class No : public policy::Policy::Answers {
 public:
  std::string answer(std::string_view) override { return "no"; }
};

void judge(const policy::Policy& policy, std::string_view text) {
  Event event;
  event.from = "alice@im.test";
  event.to = {"bob@im.test"};
  event.texts.push_back({TextPart::Role::body, "", std::string{text}, {}});
  No answers;
  const policy::Subject subject{event, Side::client, "xmpp", "im", "alice@im.test", Instant{}};
  const auto first = policy.judge_now(subject, answers).decision;
  if (policy.judge_now(subject, answers).decision != first) std::abort();
  std::uint32_t end = 0;
  for (const auto& mask : first.masks) {
    if (mask.begin >= mask.end || mask.end > text.size() || (end != 0 && mask.begin <= end)) std::abort();
    end = mask.end;
  }
  policy::masked(text, first.masks, 0);
}

// A fixed lexicon, so that the folding and matching of hostile text is reached from the first input on.
const policy::Policy& fixed() {
  static const auto policy = policy::compile(
      "version: 1\n"
      "lexicon:\n"
      "  fold: {confusables: all, leet: true}\n"
      "  rules:\n"
      "    - {id: r, action: redact, terms: [fox, 'gu*nt*', '*ab*', 'a b', ß, 保证, 'รับ*'], except: [not fox, 'xy "
      "*ab*']}\n",
      "fixed", nullptr);
  return *policy;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input{reinterpret_cast<const char*>(data), size};
  judge(fixed(), input);
  const auto split = input.find('\f');
  if (split == std::string_view::npos) return 0;
  try {
    const auto policy = policy::compile(input.substr(0, split), "fuzz", nullptr);
    judge(*policy, input.substr(split + 1));
  } catch (const yaml::Error&) {
  }
  return 0;
}
