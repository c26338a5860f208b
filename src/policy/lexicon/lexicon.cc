#include "policy/lexicon/lexicon.h"

#include <algorithm>
#include <fmt/format.h>
#include <tuple>
#include <unordered_map>

namespace chancery::policy {
namespace {

constexpr std::string_view kNotice = "Your message was not delivered: its text is not permitted by policy.";

// Grows with every change of how terms become anchors: an older cached database would not fit.
constexpr int kAnchorFormat = 1;

// A text that stands in no Event::texts (a file's name, a reaction) cannot be masked.
constexpr std::uint32_t kNoPart = 0xffffffffU;

struct Found {
  std::uint32_t rule = 0, part = 0;
  bool exception = false;
  Range folded;    // while its part is read
  Range original;  // octets of the part's text
};

}  // namespace

// What one call works with; see the header.
struct LexiconStage::Memory {
  std::unique_ptr<Database::Scratch> scratch;
  Folded folded;
  Boundaries boundaries;
  std::vector<Found> found;
  enum class Applies : std::uint8_t { unknown, yes, no, satisfied };
  std::vector<Applies> applies;      // by rule; all `unknown` between calls
  std::vector<std::uint32_t> asked;  // rules whose `applies` is known
};

class LexiconStage::Lease {
 public:
  explicit Lease(const LexiconStage& stage) : stage_(stage) {
    for (auto& slot : stage.pool_) {
      memory_.reset(slot.exchange(nullptr, std::memory_order_acquire));
      if (memory_) return;
    }
    memory_ = std::make_unique<Memory>();
    memory_->scratch = stage.database_->make_scratch();
    memory_->applies.resize(stage.rules_.size());
  }
  ~Lease() {
    for (auto& slot : stage_.pool_) {
      Memory* empty = nullptr;
      if (slot.compare_exchange_strong(empty, memory_.get(), std::memory_order_release)) {
        static_cast<void>(memory_.release());
        return;
      }
    }
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Memory& operator*() const { return *memory_; }

 private:
  const LexiconStage& stage_;
  std::unique_ptr<Memory> memory_;
};

LexiconStage::LexiconStage(const Lexicon& lexicon, const Groups& groups, std::string_view file,
                           std::string_view revision, Cache* cache)
    : folder_(lexicon.fold) {
  for (const auto& rule : lexicon.rules) {
    const auto index = static_cast<std::uint32_t>(rules_.size());
    const auto& notice = rule.notice.empty() ? lexicon.notice : rule.notice;
    rules_.push_back({rule.id, rule.action, Condition(rule.when, groups, file),
                      notice.empty() ? std::string{kNotice} : notice, !rule.except.empty()});
    for (const auto& term : rule.terms) add(term, index, false, file);
    for (const auto& term : rule.except) add(term, index, true, file);
  }
  // Anchors get their ids in the order of the file, so a cached database fits whenever the text is the same.
  std::unordered_map<std::string_view, std::uint32_t> ids;
  for (std::uint32_t i = 0; i < patterns_.size(); ++i) {
    const auto& anchor = patterns_[i].term.anchor();
    const auto [entry, fresh] = ids.try_emplace(anchor, static_cast<std::uint32_t>(anchors_.size()));
    if (fresh) {
      anchors_.push_back(anchor);
      of_anchor_.emplace_back();
    }
    of_anchor_[entry->second].push_back(i);
  }
  if (!anchors_.empty()) open_database(revision, cache);
}

LexiconStage::~LexiconStage() {
  for (auto& slot : pool_) delete slot.load();
}

void LexiconStage::add(const Written& written, std::uint32_t rule, bool exception, std::string_view file) {
  std::string error;
  auto term = Term::parse(written.text, folder_, error);
  if (!term) throw yaml::Error(file, written.line, "", fmt::format("term \"{}\": {}", written.text, error));
  patterns_.push_back({*std::move(term), rule, exception});
}

void LexiconStage::open_database(std::string_view revision, Cache* cache) {
  const auto key = fmt::format("lexicon-{}-hs{}-a{}", revision, Database::library_version(), kAnchorFormat);
  if (cache)
    if (const auto kept = cache->load(key)) database_ = Database::restore(*kept);
  if (!database_) {
    database_ = Database::build(anchors_);
    if (cache) cache->store(key, database_->serialize());
  }
  const Lease first(*this);  // the first judgement finds its memory ready
}

// The reading of one event.
class LexiconStage::Scan {
 public:
  Scan(const LexiconStage& stage, const Subject& subject, Memory& memory)
      : stage_(stage), subject_(subject), memory_(memory) {
    memory_.found.clear();
  }
  ~Scan() {
    for (const auto rule : memory_.asked) memory_.applies[rule] = Memory::Applies::unknown;
    memory_.asked.clear();
  }
  Scan(const Scan&) = delete;
  Scan& operator=(const Scan&) = delete;

  void read(std::string_view text, std::uint32_t part) {
    if (text.empty()) return;
    stage_.folder_.fold(text, memory_.folded);
    memory_.boundaries.look_at(memory_.folded.text());
    part_ = part;
    part_begin_ = memory_.found.size();
    stage_.database_->scan(memory_.folded.text(), *memory_.scratch, on_hit, this);
    if (memory_.found.size() > part_begin_) close_part();
  }

  Outcome outcome() {
    auto& found = memory_.found;
    if (found.empty()) return Pass{};
    std::ranges::sort(found, {}, [](const Found& hit) { return std::tuple(hit.rule, hit.part, hit.original.begin); });
    std::vector<Ruling> rulings;
    for (const auto& hit : found) {
      const auto& rule = stage_.rules_[hit.rule];
      if (rulings.empty() || rulings.back().rule != rule.id) rulings.push_back({rule.action, rule.id, {}, ""});
      auto& ruling = rulings.back();
      // What should be masked and cannot be must not pass.
      if (rule.action == Verdict::redact && hit.part == kNoPart) ruling.verdict = Verdict::refuse;
      if (rule.action == Verdict::redact && hit.part != kNoPart)
        ruling.masks.push_back({hit.part, hit.original.begin, hit.original.end});
      if (ruling.verdict == Verdict::refuse) ruling.notice = rule.notice;
    }
    for (auto& ruling : rulings)
      if (ruling.verdict != Verdict::redact) ruling.masks.clear();
    return rulings;
  }

 private:
  static void on_hit(void* context, std::uint32_t anchor, std::uint32_t end) {
    auto& scan = *static_cast<Scan*>(context);
    for (const auto pattern : scan.stage_.of_anchor_[anchor]) scan.consider(scan.stage_.patterns_[pattern], end);
  }

  void consider(const Pattern& pattern, std::uint32_t anchor_end) {
    if (memory_.applies[pattern.rule] == Memory::Applies::satisfied) return;
    const auto range = pattern.term.match(memory_.folded.text(), anchor_end, memory_.boundaries);
    if (!range || !applies(pattern.rule)) return;
    // One hit is enough for a rule that masks nothing and that nothing cancels.
    const auto& rule = stage_.rules_[pattern.rule];
    if (rule.action != Verdict::redact && !rule.has_exceptions)
      memory_.applies[pattern.rule] = Memory::Applies::satisfied;
    memory_.found.push_back({pattern.rule, part_, pattern.exception, *range, {}});
  }

  bool applies(std::uint32_t rule) {
    auto& known = memory_.applies[rule];
    if (known == Memory::Applies::unknown) {
      const Speaker speaker(subject_);
      known = stage_.rules_[rule].when.holds_for_any(subject_, speaker) ? Memory::Applies::yes : Memory::Applies::no;
      memory_.asked.push_back(rule);
    }
    return known == Memory::Applies::yes;
  }

  // Drops hits that lie within an exception of the same rule, and the exceptions; the rest find their way back.
  void close_part() {
    auto& found = memory_.found;
    const auto begin = found.begin() + static_cast<std::ptrdiff_t>(part_begin_);
    const auto exceptions = std::ranges::partition(begin, found.end(), [](const Found& one) { return !one.exception; });
    const auto hits_end = exceptions.begin();
    if (!exceptions.empty()) {
      reach_far(exceptions);
      const auto cancelled = [&](const Found& hit) { return is_within(hit, exceptions); };
      found.erase(std::remove_if(begin, hits_end, cancelled), found.end());
    }
    for (auto i = part_begin_; i < found.size(); ++i) {
      const auto [from, to] = memory_.folded.original(found[i].folded.begin, found[i].folded.end);
      found[i].original = {from, to};
    }
  }

  static std::pair<std::uint32_t, std::uint32_t> place(const Found& one) { return {one.rule, one.folded.begin}; }

  // Sorts exceptions by rule and beginning; the end of each becomes the farthest end of those up to it, so that one
  // look decides, however many a hostile text holds.
  static void reach_far(std::span<Found> exceptions) {
    std::ranges::sort(exceptions, {}, place);
    for (std::size_t i = 1; i < exceptions.size(); ++i)
      if (exceptions[i].rule == exceptions[i - 1].rule)
        exceptions[i].folded.end = std::max(exceptions[i].folded.end, exceptions[i - 1].folded.end);
  }

  static bool is_within(const Found& hit, std::span<const Found> exceptions) {
    const auto behind = std::ranges::upper_bound(exceptions, place(hit), {}, place);
    if (behind == exceptions.begin()) return false;
    const auto& exception = *(behind - 1);
    return exception.rule == hit.rule && hit.folded.end <= exception.folded.end;
  }

  const LexiconStage& stage_;
  const Subject& subject_;
  Memory& memory_;
  std::uint32_t part_ = 0;
  std::size_t part_begin_ = 0;
};

Outcome LexiconStage::judge(const Subject& subject, std::span<const Answer>) const {
  if (!database_) return Pass{};
  const auto& event = subject.event;
  const bool says_detail = event.kind == Kind::reaction || event.kind == Kind::nick || event.kind == Kind::leave;
  if (event.texts.empty() && event.files.empty() && !says_detail) return Pass{};
  const Lease memory(*this);
  Scan scan(*this, subject, *memory);
  for (std::uint32_t part = 0; part < event.texts.size(); ++part) scan.read(event.texts[part].text, part);
  for (const auto& file : event.files) scan.read(file.name, kNoPart);
  if (says_detail) scan.read(event.detail, kNoPart);
  return scan.outcome();
}

}  // namespace chancery::policy
