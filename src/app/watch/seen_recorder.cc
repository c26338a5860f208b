#include "app/watch/seen_recorder.h"

#include <algorithm>
#include <fmt/format.h>

#include "sensor/read/legs.h"

namespace chancery::app::watch {
namespace {

// More than the sensor's own table of legs remembers, so that what it finds has a place here.
constexpr std::size_t kRememberedMax = 4 * sensor::kLegsMax;

ConnectionId connection_of(std::uint64_t random, std::uint64_t flow) {
  ConnectionId id;
  for (std::size_t i = 0; i < sizeof random; ++i) {
    id.octets[i] = static_cast<std::uint8_t>(random >> 8 * i);
    id.octets[sizeof random + i] = static_cast<std::uint8_t>(flow >> 8 * (sizeof flow - 1 - i));
  }
  return id;
}

}  // namespace

void Lost::add(Instant time, std::string_view reason) {
  if (count++ == 0) first = last = time;
  first = std::min(first, time);
  last = std::max(last, time);
  why = reason;
}

std::string Lost::in_words() const {
  return fmt::format("not recorded: {} seen between {} and {}: {}",
                     count == 1 ? "one event" : fmt::format("{} events", count), to_rfc3339(first), to_rfc3339(last),
                     why);
}

SeenRecorder::SeenRecorder(gateway::Recorder& recorder, gateway::Conversations& conversations, std::string network,
                           std::uint64_t random)
    : recorder_(recorder), conversations_(conversations), network_(std::move(network)), random_(random) {
  gateway::Origin own;
  own.network = network_;
  own.seen = &nowhere_;
  recorder_.set_own(own);
}

bool SeenRecorder::message(const sensor::SeenMessage& seen, Instant now) {
  const Found found{seen.time, seen.protocol, seen.client, seen.server, seen.place, seen.copy_of, seen.number};
  if (seen.event != nullptr) return take(found, *seen.event, seen.to, now);
  own_ = {};
  own_.from = seen.from;
  if (!seen.to.empty()) own_.to.emplace_back(seen.to);
  own_.texts.push_back({TextPart::Role::body, "", std::string{seen.text}, {}});
  return take(found, own_, seen.to, now);
}

bool SeenRecorder::event(const sensor::SeenEvent& seen, Instant now) {
  const Found found{seen.time, seen.protocol, seen.client, seen.server, seen.place, seen.copy_of, seen.number};
  return take(found, seen.event, seen.event.to.empty() ? std::string_view{} : seen.event.to.front(), now);
}

bool SeenRecorder::credential(const sensor::SeenCredential& seen, Instant now) {
  own_ = {};
  own_.kind = Kind::credential;
  own_.scope = Scope::network;
  own_.from = seen.user;
  own_.detail = seen.what;
  const Found found{seen.time, seen.protocol, seen.client, seen.server, seen.place, {}, 0};
  return count(record(found, own_, now), seen.time);
}

bool SeenRecorder::take(const Found& found, const Event& event, std::string_view to, Instant now) {
  if (found.copy_of && deliver(found, event, to)) return true;
  const auto index = record(found, event, now);
  if (index) remember(found.copy_of.value_or(found.number), *index);
  return count(index, found.time);
}

// False: the first leg is not on the record, so this one will stand for it.
bool SeenRecorder::deliver(const Found& found, const Event& event, std::string_view to) {
  const auto first = indexes_.find(*found.copy_of);
  if (first == indexes_.end()) return false;
  Delivery delivery;
  delivery.ref = first->second;
  delivery.to = event.room.empty() && !to.empty() ? std::string{to} : found.client.text();
  delivery.time = found.time;
  delivery.matched_copy = event.copy == Copy::delayed || event.copy == Copy::archive;
  recorder_.deliver(std::move(delivery));
  ++counts_.deliveries;
  return true;
}

gateway::Recorder::Result SeenRecorder::record(const Found& found, const Event& event, Instant now) {
  const Seen seen{found.client.text(), found.server.text()};
  gateway::Origin origin;
  origin.protocol = found.protocol;
  origin.network = network_;
  origin.read_from = found.place.side;
  origin.connection = connection_of(random_, found.place.flow);
  origin.seen = &seen;
  if (found.place.unit != nullptr) return record_unit(found, event, origin, now);
  gateway::Recorder::Note note;
  note.event = event;
  note.conversation = conversations_.of(network_, event);
  note.time = found.time;
  note.logged = now;
  return recorder_.note(origin, std::move(note));
}

// The first of a unit's events that is recorded carries its wire.
gateway::Recorder::Result SeenRecorder::record_unit(const Found& found, const Event& event,
                                                    const gateway::Origin& origin, Instant now) {
  const Unit& unit = *found.place.unit;
  static const Decision kNone;
  const bool has_wire = unit_ == found.place.unit_number && unit_ != 0;
  const gateway::Recorder::Item item{
      .unit = unit,
      .number = static_cast<std::size_t>(&event - unit.events.data()),
      .decision = kNone,
      .conversation = conversations_.of(network_, event),
      .sequence = nullptr,
      .wire_in = has_wire ? static_cast<std::uint32_t>(recorder_.journal().next_index() - unit_index_) : 0,
      .history = false,
      .time = found.time,
      .logged = now,
      .urgent = false};
  const auto index = recorder_.record(origin, item);
  if (index && !has_wire) {
    unit_ = found.place.unit_number;
    unit_index_ = *index;
  }
  return index;
}

void SeenRecorder::remember(std::uint64_t number, std::uint64_t index) {
  if (!indexes_.emplace(number, index).second) return;
  order_.push_back(number);
  if (order_.size() <= kRememberedMax) return;
  indexes_.erase(order_.front());
  order_.pop_front();
}

bool SeenRecorder::count(const gateway::Recorder::Result& result, Instant time) {
  if (result) {
    ++counts_.recorded;
    return true;
  }
  lost_.add(time, result.error().message());
  return result.error() != journal::JournalError::failed;
}

bool SeenRecorder::flush(Instant now) {
  recorder_.flush_deliveries(now);
  const bool gap = lost_.count > 0 && recorder_.note_log(Kind::gap, lost_.in_words(), now);
  if (gap) lost_ = {};
  recorder_.hand_over();
  return gap;
}

void SeenRecorder::heartbeat(std::string detail, Instant now) {
  (void)recorder_.note_log(Kind::heartbeat, std::move(detail), now);
}

}  // namespace chancery::app::watch
