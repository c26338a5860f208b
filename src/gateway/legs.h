#pragma once
// "What counts as one message" (docs/formats/record.md): a message is recorded on its first leg, and this table tells
// its later legs from new messages. A bounded memory of what was recorded and let through, by sender, conversation and
// digest of the content; rebuilt at start from the journal's tail.
//
// The digest is SHA-256: whoever could make two contents with one digest could send what nobody judged.
//
// The same words said again and again cost no more than any others: see `Chain` and `cursors_`.
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/id.h"
#include "core/time.h"
#include "event/decision.h"
#include "event/event.h"
#include "gateway/chains.h"

namespace chancery::gateway {

class Legs {
 public:
  static constexpr std::size_t kSeenMax = 4'000'000;        // marks "this session had it", over all entries
  static constexpr std::chrono::hours kRemembered{7 * 24};  // offline delivery and archive queries reach back so far
  // Entries of the same words under other ids that one search passes by. Behind so many a leg counts as new: it is
  // recorded once more, and nothing is lost.
  static constexpr std::size_t kPassedMax = 256;

  explicit Legs(std::size_t entries_max);
  Legs(Legs&&) noexcept;
  Legs& operator=(Legs&&) noexcept;
  ~Legs();

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
  std::size_t size() const { return size_; }

 private:
  class Digest;
  using Key = std::array<std::uint8_t, 16>;
  using Number = Chains::Number;
  // One cache line.
  struct alignas(64) Entry {
    Key key;
    std::uint64_t index;
    std::uint64_t id;  // hashes; 0: none
    std::uint64_t origin_id;
    std::uint64_t first_seen;      // the first leg that had it, by a hash of its connection; 0: none
    std::uint32_t time_s;          // since the Unix epoch
    std::uint32_t is_by_id : 1;    // in a chain of by_id_
    std::uint32_t is_refused : 1;  // only copies match it
    std::uint32_t is_in_room : 1;  // other legs had it too: also_seen_
    std::uint32_t is_tagged : 1;   // its tags' digest is in tags_
    Number next;                   // the next younger entry with this key; its own number: none
    Number next_by_id;             // … and with this id
  };
  // A message's leg as it is looked for.
  struct Sought {
    Key key;
    std::uint64_t id, origin_id, leg;
    std::optional<Key> tags;
    bool copy;
  };
  enum class Chain : std::uint8_t { all, by_id };

  void expire(Instant now);
  void drop_oldest();
  std::optional<Match> match_under(const Key& key, const std::optional<Key>& tags, const Event& event,
                                   const ConnectionId& leg);
  std::optional<Match> walk(Chain chain, const Chains::Slot& slot, const Sought& sought);
  std::optional<Match> take(Number number, const Sought& sought);
  Number first_to_try(Chain chain, const Chains::Slot& slot, const Sought& sought, std::uint64_t cursor);
  bool is_other(Number number, const Sought& sought) const;
  bool see(Number number, std::uint64_t leg);
  Entry& entry(Number number) { return entries_[number & mask_]; }
  const Entry& entry(Number number) const { return entries_[number & mask_]; }
  // Entries that stand in one chain.
  auto with_key(const Key& key) const {
    return [this, &key](Number oldest) { return entry(oldest).key == key; };
  }
  auto with_id(const Key& key, std::uint64_t id) const {
    return [this, &key, id](Number oldest) { return entry(oldest).id == id && entry(oldest).key == key; };
  }

  std::size_t entries_max_;
  std::unique_ptr<Digest> digest_;
  // A ring: entries are numbered as they come, modulo 2^32, and the oldest goes first. Memory that was never used is
  // never touched.
  struct FreeEntries {
    void operator()(Entry* entries) const;
  };
  std::unique_ptr<Entry[], FreeEntries> entries_;
  Number mask_;
  Number first_ = 0;  // number of the oldest
  std::size_t size_ = 0;
  Chains all_;    // entries with one key
  Chains by_id_;  // those of them with one id, from the second with that key on
  std::size_t seen_ = 0;
  std::unordered_map<Number, std::vector<std::uint64_t>> also_seen_;  // by entry: the other legs that had it
  // Tags may be left out on the way (IRCv3), so they are no part of the key; those of the few entries that have any.
  std::unordered_map<Number, Key> tags_;
  // How far a leg has come in a long chain: every entry up to there it had. By a hash of both; forgetting costs time.
  static constexpr std::size_t kCursorsMax = 65'536;
  std::unordered_map<std::uint64_t, Number> cursors_;
  std::size_t redacted_ = 0;  // entries that were ever added under Form::redacted
};

}  // namespace chancery::gateway
