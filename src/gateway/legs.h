#pragma once
// "What counts as one message" (docs/formats/record.md): a message is recorded on its first leg, and this table tells
// its later legs from new messages. A bounded memory of what was recorded and let through, by sender, conversation and
// digest of the content; rebuilt at start from the journal's tail.
//
// The digest is SHA-256: whoever could make two contents with one digest could send what nobody judged.
#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "core/id.h"
#include "core/time.h"
#include "event/decision.h"
#include "event/event.h"

namespace chancery::gateway {

class Legs {
 public:
  static constexpr std::size_t kSeenMax = 4'000'000;        // marks "this session had it", over all entries
  static constexpr std::chrono::hours kRemembered{7 * 24};  // offline delivery and archive queries reach back so far

  explicit Legs(std::size_t entries_max) : entries_max_(entries_max) {}

  // The event was recorded as `index` and is let through as `decision` says. A refused one is known only to copies
  // (sent again after a resumption): its live leg never comes, and if it does, it went around the gateway and is new.
  // Held ones are not added.
  void add(const Event& event, const Decision& decision, const ConversationId& conversation, std::uint64_t index,
           Instant now);

  struct Match {
    std::uint64_t index = 0;
    bool copy = false;     // a delayed, archive or resent copy, not the live one
    bool refused = false;  // then nothing is known of it but its refusal: it must be judged again, and not delivered
  };
  // Whether this event, on the leg of `leg` (the connection), is a later leg of a recorded one. A live leg takes its
  // entry once: the same words said twice are two messages, and the second one on this leg matches the second entry
  // or none. Copies from history may come any number of times.
  std::optional<Match> match(const Event& event, const ConversationId& conversation, const ConnectionId& leg,
                             Instant now);

  static bool matchable(const Event& event);  // kinds that travel from person to person
  std::size_t size() const { return queue_.size(); }

 private:
  using Key = std::array<std::uint8_t, 16>;
  // Entries are numbered as they come, modulo 2^32; the oldest goes first, so they stand in one queue.
  using Number = std::uint32_t;
  struct Entry {
    Key key;
    std::uint64_t index = 0;
    std::uint64_t id = 0;  // hashes; 0: none
    std::uint64_t origin_id = 0;
    Instant time;
    bool refused = false;
    Number next = 0;                       // the next younger entry with this key; its own number: none
    std::uint64_t first_seen = 0;          // the first leg that had it, by a hash of its connection; 0: none
    std::vector<std::uint64_t> also_seen;  // the others: rooms
  };
  // Open addressing: a message costs a cache line here and one in the queue, and growing moves 16 octets an entry.
  // Keys hold a conversation id, which is secret: nobody can choose keys that collide.
  struct Slot {
    std::uint64_t hash = 0;  // 0: free
    Number oldest = 0;       // of the entries with this key …
    Number youngest = 0;
  };

  void expire(Instant now);
  void drop_oldest();
  std::optional<Match> match_under(const Key& key, const Event& event, const ConnectionId& leg);
  bool see(Entry& known, std::uint64_t leg);
  Entry& entry(Number number) { return queue_[static_cast<Number>(number - first_)]; }
  std::size_t slot_of(const Key& key, std::uint64_t hash);  // where it is, or the free slot where it would be
  void grow();
  void erase(std::size_t slot);

  std::size_t entries_max_;
  std::size_t seen_ = 0;
  std::size_t redacted_ = 0;  // entries that were ever added under Form::redacted
  std::deque<Entry> queue_;
  Number first_ = 0;         // of queue_.front()
  std::vector<Slot> slots_;  // a power of two; half of them free at least
  std::size_t used_ = 0;
};

}  // namespace chancery::gateway
