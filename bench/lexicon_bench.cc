// The lexicon beside raw Hyperscan, in one run: 100-octet messages, 10, 1,000 and 10,000 terms. Raw is what a user of
// Hyperscan would write for ASCII: caseless patterns with \b on both sides, one scan a message, no folding and no
// Unicode. Ours is the whole stage as the gateway calls it. Printed: messages a second, median of five rounds that take
// turns, and their ratio.
//
//   lexicon_bench [rounds] [messages]
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <hs/hs.h>
#include <random>
#include <string>
#include <vector>

#include "policy/compile.h"

namespace {

using namespace chancery;

constexpr std::size_t kMessageSize = 100;
constexpr std::size_t kTextsDistinct = 1'000;

std::string make_word(std::mt19937& random, std::size_t size) {
  static constexpr std::string_view kLetters = "etaoinshrdlcumwfgypbvk";
  std::string word;
  while (word.size() < size) word += kLetters[std::min(random() % kLetters.size(), random() % kLetters.size())];
  return word;
}

// What alphabet messages and terms are in. Raw Hyperscan refuses \b together with Unicode: beyond ASCII its patterns
// are caseless Unicode without boundaries, and hit parts of words too.
enum class Script : std::uint8_t { ascii, umlaut, cyrillic, chinese };
constexpr std::string_view kScriptNames[] = {"ASCII", "one ü", "Cyrillic", "Chinese"};

void append_utf8(std::string& text, std::uint_fast32_t c) {
  if (c < 0x800) {
    text += static_cast<char>(0xc0 | c >> 6);
  } else {
    text += static_cast<char>(0xe0 | c >> 12);
    text += static_cast<char>(0x80 | (c >> 6 & 0x3f));
  }
  text += static_cast<char>(0x80 | (c & 0x3f));
}

std::string make_foreign_word(std::mt19937& random, Script script, std::size_t size) {
  std::string word;
  for (std::size_t i = 0; i < size; ++i)
    append_utf8(word, script == Script::cyrillic ? 0x430 + random() % 32 - (i == 0 ? random() % 2 * 32 : 0)
                                                 : 0x4e00 + random() % 0x1000);
  return word;
}

bool is_foreign(Script script) { return script == Script::cyrillic || script == Script::chinese; }

std::vector<std::string> make_terms(std::size_t count, Script script) {
  std::mt19937 random(1);
  std::vector<std::string> terms;
  while (terms.size() < count) {
    auto term = script == Script::cyrillic  ? make_foreign_word(random, script, 5 + random() % 6)
                : script == Script::chinese ? make_foreign_word(random, script, 2 + random() % 3)
                                            : make_word(random, 5 + random() % 6);
    if (!is_foreign(script) && random() % 4 == 0) term += " " + make_word(random, 4 + random() % 4);
    terms.push_back(std::move(term));
  }
  std::ranges::sort(terms);
  terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
  return terms;
}

// Chat-like: words of two to nine letters, one in a hundred messages holds a term.
std::vector<std::string> make_messages(const std::vector<std::string>& terms, Script script) {
  std::mt19937 random(2);
  std::vector<std::string> messages;
  for (std::size_t i = 0; i < kTextsDistinct; ++i) {
    std::string text = i % 100 == 0 ? terms[random() % terms.size()] + " " : "";
    while (text.size() < kMessageSize)
      text += (is_foreign(script) ? make_foreign_word(random, script, 2 + random() % 8)
                                  : make_word(random, 2 + random() % 8)) +
              " ";
    if (script == Script::umlaut) text.replace(kMessageSize / 2, 2, "ü");
    std::size_t size = kMessageSize;
    while ((static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
    text.resize(size);
    if (!is_foreign(script)) text[0] = static_cast<char>(text[0] - 'a' + 'A');
    messages.push_back(std::move(text));
  }
  return messages;
}

class Raw {
 public:
  Raw(const std::vector<std::string>& terms, Script script) {
    std::vector<std::string> patterns;
    for (const auto& term : terms) patterns.push_back(is_foreign(script) ? term : "\\b" + term + "\\b");
    std::vector<const char*> pointers;
    const unsigned unicode = is_foreign(script) ? HS_FLAG_UTF8 | HS_FLAG_UCP : 0;
    std::vector<unsigned> flags(terms.size(), HS_FLAG_CASELESS | HS_FLAG_SINGLEMATCH | unicode), ids;
    for (const auto& pattern : patterns) {
      ids.push_back(static_cast<unsigned>(pointers.size()));
      pointers.push_back(pattern.c_str());
    }
    hs_compile_error_t* error = nullptr;
    if (hs_compile_multi(pointers.data(), flags.data(), ids.data(), static_cast<unsigned>(pointers.size()),
                         HS_MODE_BLOCK, nullptr, &database_, &error) != HS_SUCCESS ||
        hs_alloc_scratch(database_, &scratch_) != HS_SUCCESS) {
      fmt::print(stderr, "Hyperscan failed\n");
      std::exit(2);
    }
  }
  ~Raw() {
    hs_free_scratch(scratch_);
    hs_free_database(database_);
  }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  bool hits(const std::string& text) const {
    bool hit = false;
    const auto on_match = [](unsigned, unsigned long long, unsigned long long, unsigned, void* context) {
      *static_cast<bool*>(context) = true;
      return 0;
    };
    hs_scan(database_, text.data(), static_cast<unsigned>(text.size()), 0, scratch_, on_match, &hit);
    return hit;
  }

 private:
  hs_database_t* database_ = nullptr;
  hs_scratch_t* scratch_ = nullptr;
};

class NoAnswers : public policy::Policy::Answers {
 public:
  std::string answer(std::string_view) override { return {}; }
};

class Ours {
 public:
  explicit Ours(const std::vector<std::string>& terms) {
    std::string text = "version: 1\nlexicon:\n  rules:\n    - id: terms\n      action: flag\n      terms:\n";
    for (const auto& term : terms) text += "        - " + term + "\n";
    policy_ = policy::compile(text, "bench", nullptr);
  }
  bool hits(const Event& event) const {
    NoAnswers answers;
    const policy::Subject subject{event, Side::client, "xmpp", "im", "alice@im.test", Instant{}};
    return policy_->judge_now(subject, answers).decision.verdict != Verdict::forward;
  }

 private:
  std::shared_ptr<const policy::Policy> policy_;
};

struct Rate {
  double per_second = 0;
  std::size_t hits = 0;
};

template <class Item, class Hits>
Rate measure(const std::vector<Item>& items, std::size_t messages, Hits hits) {
  Rate rate;
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < messages; ++i) rate.hits += hits(items[i % items.size()]) ? 1U : 0U;
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  rate.per_second = static_cast<double>(messages) / spent.count();
  return rate;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void compare(std::size_t count, Script script, std::size_t rounds, std::size_t messages) {
  const auto terms = make_terms(count, script);
  const auto texts = make_messages(terms, script);
  std::vector<Event> events(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) events[i].texts.push_back({TextPart::Role::body, "", texts[i], {}});
  const Raw raw(terms, script);
  const Ours ours(terms);
  std::vector<double> raw_rates, our_rates;
  Rate a, b;
  for (std::size_t round = 0; round < rounds; ++round) {
    a = measure(texts, messages, [&](const std::string& text) { return raw.hits(text); });
    b = measure(events, messages, [&](const Event& event) { return ours.hits(event); });
    raw_rates.push_back(a.per_second);
    our_rates.push_back(b.per_second);
  }
  fmt::print("{:>7} {:>8} {:>14.0f} {:>14.0f} {:>7.2f} {:>9} {:>9}\n", terms.size(),
             kScriptNames[static_cast<std::size_t>(script)], median(raw_rates), median(our_rates),
             median(our_rates) / median(raw_rates), a.hits, b.hits);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t rounds = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 5;
  const std::size_t messages = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 300'000;
  fmt::print("{:>7} {:>8} {:>14} {:>14} {:>7} {:>9} {:>9}\n", "terms", "text", "raw msg/s", "ours msg/s", "ratio",
             "raw hits", "our hits");
  for (const std::size_t count : {10U, 1'000U, 10'000U})
    for (const Script script : {Script::ascii, Script::umlaut, Script::cyrillic, Script::chinese})
      compare(count, script, std::max<std::size_t>(rounds, 1), messages);
}
