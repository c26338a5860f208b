#pragma once
// What is said: terms, phrases and wildcards that refuse, flag or redact, and exceptions that cancel a hit.
//
// Every text of an event is read by itself: each body, subject, XHTML copy and reason, and the names of its files. The
// codecs hand over each text in one piece, so a term that markup or formatting codes cut in two is found.
//
// Threads: `judge` may be called by any number at once. Each call borrows one working memory (Hyperscan's scratch,
// folding buffers, ICU's word iterator) from a small pool and gives it back; the pool grows to the number of calls that
// ever ran at once, and keeps at most kPoolMax. So a call allocates nothing when the text is ASCII and nothing matches.
#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "policy/compile.h"
#include "policy/condition.h"
#include "policy/lexicon/database.h"
#include "policy/lexicon/term.h"
#include "policy/stage.h"
#include "policy/text.h"

namespace chancery::policy {

class LexiconStage : public Stage {
 public:
  static constexpr std::size_t kPoolMax = 16;

  // Throws yaml::Error for a term that cannot be looked for. `cache` may be null; `revision` is its key.
  LexiconStage(const Lexicon& lexicon, const Groups& groups, std::string_view file, std::string_view revision,
               Cache* cache);
  ~LexiconStage() override;
  std::string_view name() const override { return "lexicon"; }
  Outcome judge(const Subject& subject, std::span<const Answer> answers) const override;

 private:
  struct Rule {
    std::string id;
    Verdict action;
    Condition when;
    std::string notice;
    bool has_exceptions = false;
  };
  struct Pattern {  // one term of one rule
    Term term;
    std::uint32_t rule;
    bool exception;
  };
  struct Memory;
  class Lease;
  class Scan;

  void add(const Written& written, std::uint32_t rule, bool exception, std::string_view file);
  void open_database(std::string_view revision, Cache* cache);

  Folder folder_;
  std::vector<Rule> rules_;
  std::vector<Pattern> patterns_;
  std::vector<std::string> anchors_;                   // distinct; the index is Hyperscan's id
  std::vector<std::vector<std::uint32_t>> of_anchor_;  // patterns by anchor
  std::optional<Database> database_;                   // none: no terms
  mutable std::array<std::atomic<Memory*>, kPoolMax> pool_{};
};

}  // namespace chancery::policy
