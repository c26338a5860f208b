#pragma once
// A policy's own tests: `tests:`, and the `must_hit` / `must_not_hit` of lexicon rules.
#include <string>
#include <vector>

#include "policy/compile.h"
#include "policy/stage.h"
#include "policy/text.h"

namespace chancery::policy {

struct SelfTestResult {
  std::size_t run = 0;
  std::vector<Written> failures;  // a sentence each, with the line of the test
};

// `now` stands for the time of tests that do not say one. Compiles the text (throws yaml::Error); `cache` may be null.
SelfTestResult run_self_tests(const Text& text, Cache* cache, Instant now);

// What the receiver sees: each masked character is one `*`, as codecs write it.
std::string masked(std::string_view text, const std::vector<Mask>& masks, std::uint32_t part);

}  // namespace chancery::policy
