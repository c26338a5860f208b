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
  if (origin.seen != nullptr)
    record_.seen = *origin.seen;
  else
    record_.seen.reset();
}

// What a record of our own says. That of a message is encoded from where its event and decision stand.
void Recorder::fill_own(const Origin& origin, Instant time, const ConversationId& conversation, Event&& event) {
  fill(origin, time, conversation);
  record_.event = std::move(event);
  record_.decision = {};
}

Recorder::Result Recorder::append(const RecordParts& parts, std::uint64_t& sequence, const Stamp& stamp) {
  record_.conversation_sequence = sequence;
  journal::Entry entry;
  entry.time = stamp.time;
  entry.conversation = record_.conversation;
  entry.conversation_sequence = sequence;
  entry.payload = journal_.spare_buffer();
  encode(parts, entry.payload);
  entry.urgent = stamp.urgent;
  entry.joined = record_.wire_in != 0;  // it says how far back the record with the octets is
  const auto index = journal_.stage(std::move(entry));
  if (!index) return index;
  ++sequence;
  ++stats_.records;
  ++staged_;
  if (!on_staged_ || staged_ >= kStagedMax)
    hand_over();
  else if (staged_ == 1)
    on_staged_();
  return index;
}

void Recorder::hand_over() {
  staged_ = 0;
  journal_.hand_over();
}

// A record of our own says what is in record_.
RecordParts Recorder::own() const {
  return {record_, record_.event, record_.decision, record_.event.kind, record_.wire, record_.secrets};
}

Recorder::Result Recorder::record(const Origin& origin, const Item& item) {
  fill(origin, item.time, item.conversation);
  std::uint64_t& sequence = item.sequence != nullptr ? *item.sequence : conversations_.next(item.conversation);
  record_.wire_in = item.wire_in;
  const Stamp stamp{item.logged.value_or(item.time), item.urgent};
  if (!item.unit.secrets.empty()) return append(masked(item), sequence, stamp);
  const Event& event = item.unit.events[item.number];
  const Bytes wire = item.wire_in == 0 ? Bytes{item.unit.wire} : Bytes{};
  return append({record_, event, item.decision, item.history ? Kind::history : event.kind, wire, record_.secrets},
                sequence, stamp);
}

// What travels keeps its secrets: here the record is a copy.
RecordParts Recorder::masked(const Item& item) {
  record_.event = item.unit.events[item.number];
  if (item.history) record_.event.kind = Kind::history;
  mask_texts(record_.event, item.unit.secrets);
  record_.decision = item.decision;
  if (item.wire_in == 0) {
    record_.wire = item.unit.wire;
    record_.secrets = item.unit.secrets;
    mask_wire(record_.wire, record_.secrets);
  }
  return own();
}

Recorder::Result Recorder::note(const Origin& origin, Note note) {
  fill_own(origin, note.time, note.conversation, std::move(note.event));
  record_.counters = note.counters;
  return append(own(), note.sequence != nullptr ? *note.sequence : conversations_.next(note.conversation),
                {note.logged.value_or(note.time)});
}

Recorder::Result Recorder::note_log(Kind kind, std::string detail, Instant time, std::optional<Counters> counters) {
  const ConversationId conversation = journal_.log_conversation();
  fill_own(own_, time, conversation, {});
  record_.event.kind = kind;
  record_.event.scope = Scope::network;
  record_.event.detail = std::move(detail);
  record_.counters = counters;
  return append(own(), conversations_.next(conversation), {time});
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
    fill_own(own_, now, conversation, {});
    record_.event.kind = Kind::delivery;
    record_.event.scope = Scope::network;
    record_.deliveries.assign(first, first + static_cast<std::ptrdiff_t>(count));
    const auto index = append(own(), conversations_.next(conversation), {now});
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
