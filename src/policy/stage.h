#pragma once
// Policy is a chain of stages. A stage never waits, reads no clock and keeps no state: it answers `Pass`, a `Ruling`,
// or a `Question` (directory, scanner, "was this notice shown?"), and is asked again once the answer is there. So a
// decision is a pure function of (event, facts, answers, policy revision) and can be re-run from the journal.
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/time.h"
#include "event/decision.h"
#include "event/event.h"

namespace chancery::policy {

// What a stage may look at. Borrowed for the length of one call.
struct Subject {
  const Event& event;
  Side from;                  // which end of the wire it was read from
  std::string_view protocol;  // "xmpp"
  std::string_view network;   // the route's name
  std::string_view account;   // the session's own address; empty before sign-in
  Instant now;
};

struct Pass {};

// One rule's say. The chain keeps the strongest verdict (refuse > hold > redact > flag > forward), joins the masks,
// and lists every rule that matched; a `refuse` ends the chain.
struct Ruling {
  Verdict verdict = Verdict::forward;
  std::string rule;
  std::vector<Mask> masks;
  std::string notice;
};

// "<what>:<key>"; the answer to a question asked before is in `answers` of the next call. Known questions:
//   "notice.shown:<Notice::key>"   "no", or the RFC 3339 time at which that notice was last shown ("yes": unknown when)
struct Question {
  std::string query;
};

// A text that the gateway shows a user, once. What became due is decided by the notice stage; showing it, and
// recording that it was shown, is the session's work.
struct Notice {
  std::string id;   // of the notice rule
  std::string key;  // "<id>:<account>" or "<id>:<account>:<conversation>": under which it counts as shown
  Side to = Side::client;
  std::string text;
  bool in_conversation = false;  // false: at sign-on
};

using Outcome = std::variant<Pass, std::vector<Ruling>, std::vector<Notice>, Question>;

class Stage {
 public:
  virtual ~Stage() = default;
  virtual std::string_view name() const = 0;  // "control", "lexicon"
  virtual Outcome judge(const Subject& subject, std::span<const Answer> answers) const = 0;
};

struct Judgement {
  Decision decision;
  std::vector<Notice> notices;
};

// One compiled policy: immutable, shared by all sessions, swapped whole on reload.
class Policy {
 public:
  virtual ~Policy() = default;
  virtual const std::string& revision() const = 0;  // first 16 hex digits of SHA-256 of the policy text

  // A judgement under way. Ask `question()`; while it is set, obtain the answer and call `answer`; when it is not,
  // `judgement()` is final. Most events need no question at all.
  class Run {
   public:
    virtual ~Run() = default;
    virtual const std::optional<Question>& question() const = 0;
    virtual void answer(std::string value) = 0;
    virtual const Judgement& judgement() const = 0;
  };
  virtual std::unique_ptr<Run> judge(const Subject& subject) const = 0;

  // The same for callers that can answer at once (the gateway's own tables). When nothing matches, the only allocation
  // is the decision's copy of the revision.
  class Answers {
   public:
    virtual ~Answers() = default;
    virtual std::string answer(std::string_view query) = 0;
  };
  virtual Judgement judge_now(const Subject& subject, Answers& answers) const = 0;
};

}  // namespace chancery::policy
