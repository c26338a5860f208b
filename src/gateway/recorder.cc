#include "gateway/recorder.h"

#include <algorithm>

#include "gateway/secrets.h"

namespace chancery::gateway {

Recorder::Recorder(journal::Journal& journal, Conversations& conversations, Stats& stats)
    : journal_(journal), conversations_(conversations), stats_(stats) {}

void Recorder::fill(const Origin& origin, Instant time, const ConversationId& conversation) {
  record_.time = time;
  record_.protocol = origin.protocol;
  record_.network = origin.network;
  record_.read_from = origin.read_from;
  record_.connection = origin.connection;
  record_.session = origin.session;
  record_.account = origin.account;
  record_.conversation = conversation;
  record_.wire.clear();
  record_.wire_in = 0;
  record_.secrets.clear();
  record_.deliveries.clear();
  record_.counters.reset();
}

// What a record of our own says. One of a message is lent its event and decision instead: making and freeing empty
// ones for each would cost as much as encoding it.
void Recorder::fill_own(const Origin& origin, Instant time, const ConversationId& conversation, Event&& event) {
  fill(origin, time, conversation);
  record_.event = std::move(event);
  record_.decision = {};
}

Recorder::Result Recorder::append(Instant time, std::uint64_t& sequence, bool urgent) {
  record_.conversation_sequence = sequence;
  journal::Entry entry;
  entry.time = time;
  entry.conversation = record_.conversation;
  entry.conversation_sequence = sequence;
  entry.payload = encode(record_);
  entry.urgent = urgent;
  entry.joined = record_.wire_in != 0;  // it says how far back the record with the octets is
  const auto index = journal_.append(std::move(entry));
  if (!index) return index;
  ++sequence;
  ++stats_.records;
  return index;
}

Recorder::Result Recorder::record(const Origin& origin, const Item& item) {
  fill(origin, item.time, item.conversation);
  Event& event = item.unit.events[item.number];
  std::uint64_t& sequence = item.sequence != nullptr ? *item.sequence : conversations_.next(item.conversation);
  record_.wire_in = item.wire_in;
  if (!item.unit.secrets.empty()) return record_masked(item, sequence);
  const Kind kind = event.kind;
  const auto lend = [&] {
    std::swap(record_.event, event);
    std::swap(record_.decision, item.decision);
    if (item.wire_in == 0) std::swap(record_.wire, item.unit.wire);
  };
  lend();
  if (item.history) record_.event.kind = Kind::history;
  const Result index = append(item.time, sequence, true);
  record_.event.kind = kind;
  lend();
  return index;
}

// What travels keeps its secrets: here the record is a copy.
Recorder::Result Recorder::record_masked(const Item& item, std::uint64_t& sequence) {
  record_.event = item.unit.events[item.number];
  if (item.history) record_.event.kind = Kind::history;
  mask_texts(record_.event, item.unit.secrets);
  record_.decision = item.decision;
  if (item.wire_in == 0) {
    record_.wire = item.unit.wire;
    record_.secrets = item.unit.secrets;
    mask_wire(record_.wire, record_.secrets);
  }
  return append(item.time, sequence, true);
}

Recorder::Result Recorder::note(const Origin& origin, Note note) {
  fill_own(origin, note.time, note.conversation, std::move(note.event));
  record_.counters = note.counters;
  return append(note.time, note.sequence != nullptr ? *note.sequence : conversations_.next(note.conversation), false);
}

Recorder::Result Recorder::note_log(Kind kind, std::string detail, Instant time, std::optional<Counters> counters) {
  const ConversationId conversation = journal_.log_conversation();
  fill_own(Origin{}, time, conversation, {});
  record_.event.kind = kind;
  record_.event.scope = Scope::network;
  record_.event.detail = std::move(detail);
  record_.counters = counters;
  return append(time, conversations_.next(conversation), false);
}

void Recorder::deliver(Delivery delivery) {
  if (deliveries_.size() >= kDeliveriesWaitingMax) {
    ++stats_.deliveries_lost;
    return;
  }
  const Instant now = delivery.time;
  deliveries_.push_back(std::move(delivery));
  // At each multiple, not at each delivery: while the journal is full, trying is not free.
  if (deliveries_.size() % kDeliveriesMax == 0) flush_deliveries(now);
}

void Recorder::flush_deliveries(Instant now) {
  const ConversationId conversation = journal_.log_conversation();
  std::size_t done = 0;
  while (done < deliveries_.size()) {
    const std::size_t count = std::min(kDeliveriesMax, deliveries_.size() - done);
    const auto first = deliveries_.begin() + static_cast<std::ptrdiff_t>(done);
    fill_own(Origin{}, now, conversation, {});
    record_.event.kind = Kind::delivery;
    record_.event.scope = Scope::network;
    record_.deliveries.assign(first, first + static_cast<std::ptrdiff_t>(count));
    const auto index = append(now, conversations_.next(conversation), false);
    if (!index && index.error() != journal::JournalError::full) {
      stats_.deliveries_lost += deliveries_.size() - done;
      done = deliveries_.size();
    }
    if (!index) break;
    done += count;
  }
  deliveries_.erase(deliveries_.begin(), deliveries_.begin() + static_cast<std::ptrdiff_t>(done));
}

void Recorder::settle(Counters& session, Outcome outcome, Instant now) {
  today(now);
  for (Counters* counters : {&session, &day_counters_, &stats_.events}) {
    ++counters->read;
    ++(counters->*outcome);
  }
}

const Counters& Recorder::today(Instant now) {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  if (day != day_) {
    day_ = day;
    day_counters_ = {};
  }
  return day_counters_;
}

void Recorder::restore_day(Instant day, const Counters& counters) {
  day_ = std::chrono::floor<std::chrono::days>(day);
  day_counters_ = counters;
}

}  // namespace chancery::gateway
