#pragma once
// Writes records: numbers them in their conversation, masks secrets, encodes, appends to the journal. Batches
// deliveries. Keeps the day's counters.
#include <expected>
#include <functional>
#include <string_view>
#include <vector>

#include "codec/codec.h"
#include "event/record.h"
#include "gateway/conversations.h"
#include "gateway/stats.h"
#include "journal/journal.h"

namespace chancery::gateway {

// Who and where; borrowed.
struct Origin {
  std::string_view protocol = "chancery";  // of records about the record itself
  std::string_view network;
  Side read_from = Side::client;
  ConnectionId connection;
  SessionId session;
  std::string_view account;
  const Seen* seen = nullptr;  // by a sensor, beside the wire
};

class Recorder {
 public:
  static constexpr std::size_t kDeliveriesMax = 256;            // in one record
  static constexpr std::size_t kDeliveriesWaitingMax = 65'536;  // while the journal takes nothing

  Recorder(journal::Journal& journal, Conversations& conversations, Stats& stats);

  using Result = std::expected<std::uint64_t, std::error_code>;

  // Who hands what was staged to the journal: `on_staged` is called when records begin to wait, and sees to it that
  // `hand_over` is called before its thread waits for anything. Without it each record is handed over by itself.
  void hand_over_by(std::function<void()> on_staged) { on_staged_ = std::move(on_staged); }
  void hand_over();

  // What to record of event `number` of `unit`. `history`: a delayed copy whose original is not on this record.
  struct Item {
    const Unit& unit;
    std::size_t number = 0;
    const Decision& decision;
    ConversationId conversation;
    std::uint64_t* sequence = nullptr;  // null: the conversation's own is kept by `Conversations`
    std::uint32_t wire_in = 0;          // Record::wire_in
    bool history = false;
    Instant time;
    std::optional<Instant> logged = {};  // the leaf's time, where it is another (a packet's time is not our clock's)
    bool urgent = true;                  // false: nobody waits for it
  };
  // The record's index; pending until the journal says that it is durable. On an error nothing was counted up.
  Result record(const Origin& origin, const Item& item);

  // A record about a connection (open, close, protocol error, notice shown); not urgent, nobody waits for it.
  struct Note {
    Event event;
    ConversationId conversation;
    std::uint64_t* sequence = nullptr;
    std::optional<Counters> counters;
    Instant time;
    std::optional<Instant> logged = {};
  };
  Result note(const Origin& origin, Note note);

  // Who and where records about the record and deliveries are from; borrowed. Nobody and nowhere, unless it is said.
  void set_own(const Origin& own) { own_ = own; }

  // A record about the record (heartbeat, outage, clock step, policy change), in the log's own conversation.
  Result note_log(Kind kind, std::string detail, Instant time, std::optional<Counters> counters = {});

  // A later leg of record `delivery.ref`. Written with others: when there are kDeliveriesMax, or by flush_deliveries.
  void deliver(Delivery delivery);
  void flush_deliveries(Instant now);
  bool has_deliveries() const { return !deliveries_.empty(); }

  // What became of one event that a session read. Read = the sum of all outcomes, at any time.
  using Outcome = std::uint64_t Counters::*;
  void settle(Counters& session, Outcome outcome, Instant now);
  // Events of the day of `now` (UTC); at start continued from the log.
  const Counters& today(Instant now);
  void restore_day(Instant day, const Counters& counters);

  std::uint64_t durable_size() const { return journal_.durable_size(); }
  journal::Journal& journal() { return journal_; }

 private:
  static constexpr std::size_t kStagedMax = journal::kGroupRecordsMax;  // then they are handed over at once

  RecordParts own() const;
  RecordParts masked(const Item& item);
  struct Stamp {  // of a leaf
    Instant time;
    bool urgent = false;
  };
  Result append(const RecordParts& parts, std::uint64_t& sequence, const Stamp& stamp);
  void fill(const Origin& origin, Instant time, const ConversationId& conversation);  // all but event and decision
  void fill_own(const Origin& origin, Instant time, const ConversationId& conversation, Event&& event);

  journal::Journal& journal_;
  Conversations& conversations_;
  Stats& stats_;
  Origin own_;
  Record record_;  // kept for its memory
  std::function<void()> on_staged_;
  std::size_t staged_ = 0;  // not handed over
  std::vector<Delivery> deliveries_;
  Counters day_counters_;
  std::chrono::sys_days day_{};
};

}  // namespace chancery::gateway
