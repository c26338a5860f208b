#pragma once
// For tests: a journal in memory that becomes durable when the test says so, and fails when the test says so.
#include <mutex>
#include <vector>

#include "event/record.h"
#include "journal/journal.h"

namespace chancery::gateway::testing {

class HeldJournal final : public journal::Journal {
 public:
  explicit HeldJournal(journal::Observer& observer) : observer_(observer) { log_.octets.fill(0x4c); }

  // From now on records become durable at once (false) or by `let` (true).
  void hold(bool held);
  void let(std::uint64_t size);  // durable up to `size` records, at most all
  void let_all() { let(~0ULL); }
  // The next look at durable_size() sees the old size, the one after it the new one; the observer is told by `let`.
  void creep();
  void fail();                  // as a failed sync: takes nothing more
  void full(std::size_t most);  // takes at most so many that are not durable

  // What was handed over, no more: a test that lets go of what it sees must not let go of too little.
  std::vector<Record> records() const;
  std::vector<Record> records(Kind kind) const;
  std::vector<journal::Entry> entries() const;

  std::expected<std::uint64_t, std::error_code> stage(journal::Entry&& entry) override;
  void hand_over() override;
  const std::string& origin() const override { return origin_; }
  std::uint64_t next_index() const override;
  std::uint64_t durable_size() const override;
  ConversationId log_conversation() const override { return log_; }
  journal::Secret derive_secret(std::string_view) override { return {}; }
  void close() override {}

 private:
  mutable std::mutex mutex_;
  journal::Observer& observer_;
  std::string origin_ = "test/node/00000001-00000000";
  ConversationId log_;
  std::vector<journal::Entry> entries_;  // staged ones too
  std::size_t handed_ = 0;               // of entries_; only these become durable
  mutable std::uint64_t durable_ = 0;
  std::size_t most_ = ~std::size_t{0};
  mutable bool creeping_ = false;
  bool held_ = false;
  bool failed_ = false;
};

}  // namespace chancery::gateway::testing
