#include "codec/xmpp/stream_management.h"

#include <algorithm>

namespace chancery::xmpp {

// --- one direction ---------------------------------------------------------------------------------------------------

Ledger::Ledger(const Limits& limits, std::uint32_t count)
    : unacked_max_(limits.unacked_max), sender_(count), receiver_(count) {}

void Ledger::count_sent() {
  ++unacknowledged_sent_;
  if (repeats_ > 0) --repeats_;
}

void Ledger::pass() {
  count_sent();
  ++passed_;
  ++unacknowledged_delivered_;
}

bool Ledger::has_room(std::size_t octets) const {
  return places_.size() < unacked_max_ && kept_octets_ + octets <= kKeptOctetsMax;
}

bool Ledger::drop() {
  const bool same_place = passed_ == 0 && !places_.empty() && places_.back().dropped != 0;
  if (!same_place && !has_room(0)) return false;
  count_sent();
  if (same_place) {
    ++places_.back().dropped;
  } else {
    places_.push_back({passed_, 1, {}});
    passed_ = 0;
  }
  return true;
}

bool Ledger::add(Bytes stanza) {
  if (!has_room(stanza.size())) return false;
  places_.push_back({passed_, 0, Buffer{stanza}});
  passed_ = 0;
  kept_octets_ += stanza.size();
  ++unacknowledged_delivered_;
  ++added_since_request_;
  return true;
}

void Ledger::settle(std::uint32_t count) {
  sender_ += count;
  unacknowledged_sent_ -= count;
}

std::optional<std::uint32_t> Ledger::acknowledge(std::uint32_t h) {
  std::uint32_t left = h - receiver_;  // modulo 2^32, as the counters
  if (left > unacknowledged_delivered_) return std::nullopt;
  receiver_ = h;
  unacknowledged_delivered_ -= left;
  while (!places_.empty()) {
    Place& place = places_.front();
    const std::uint32_t passed = std::min(left, place.passed);
    settle(passed);
    place.passed -= passed;
    left -= passed;
    if (place.passed != 0) return sender_;
    if (place.dropped != 0) {
      settle(place.dropped);
    } else {
      if (left == 0) break;
      --left;
      kept_octets_ -= place.added.size();
    }
    places_.pop_front();
  }
  settle(left);  // only when no place is left: `left` is otherwise 0
  passed_ -= left;
  settle_drops_behind_added();
  return sender_;
}

// What was dropped behind stanzas that were added and are not yet counted is not waiting for anything of its sender's.
void Ledger::settle_drops_behind_added() {
  for (auto place = places_.begin(); place != places_.end() && place->passed == 0;) {
    if (place->dropped == 0) {
      ++place;
      continue;
    }
    settle(place->dropped);
    place = places_.erase(place);
  }
}

std::optional<std::uint32_t> Ledger::rewind(std::uint32_t h, std::vector<Buffer>& again) {
  const std::uint32_t seen = sent() + repeats_;
  if (!acknowledge(h)) return std::nullopt;
  for (Place& place : places_)
    if (place.dropped == 0) again.push_back(std::move(place.added));
  places_.clear();
  passed_ = unacknowledged_sent_ = unacknowledged_delivered_ = 0;
  kept_octets_ = added_since_request_ = 0;
  repeats_ = seen - sender_;
  return sender_;
}

bool Ledger::wants_request() {
  if (added_since_request_ < kRequestEvery) return false;
  added_since_request_ = 0;
  return true;
}

std::size_t Ledger::memory() const { return sizeof *this + places_.size() * sizeof(Place) + kept_octets_; }

// --- both directions -------------------------------------------------------------------------------------------------

void StreamManagement::enable_sent() {
  if (!to_server_) to_server_.emplace(limits_);
}

void StreamManagement::enabled() {
  if (to_server_ && !to_client_) to_client_.emplace(limits_);
}

void StreamManagement::stop() {
  to_server_.reset();
  to_client_.reset();
  again_to_client_.clear();
}

void StreamManagement::pass(Side from) {
  if (auto& counted = ledger(from)) counted->pass();
}

bool StreamManagement::drop(Side from) {
  auto& counted = ledger(from);
  return !counted || counted->drop();
}

bool StreamManagement::add(Side to, Bytes stanza) {
  auto& counted = ledger(other(to));
  return !counted || counted->add(stanza);
}

std::optional<std::uint32_t> StreamManagement::acknowledge(Side by, std::uint32_t h) {
  if (abandoned_) return std::nullopt;
  auto& counted = ledger(other(by));
  return counted ? counted->acknowledge(h) : h;
}

std::optional<std::uint32_t> StreamManagement::resume(std::uint32_t h) {
  // again_to_client_ is not empty when the connection of an earlier <resume/> broke before <resumed/>.
  return active() ? to_client_->rewind(h, again_to_client_) : std::nullopt;
}

std::optional<StreamManagement::Resumed> StreamManagement::resumed(std::uint32_t h) {
  if (!active()) return std::nullopt;
  Resumed result;
  const auto count = to_server_->rewind(h, result.to_server);
  if (!count) return std::nullopt;
  result.h = *count;
  result.to_client = std::exchange(again_to_client_, {});
  for (const Buffer& stanza : result.to_server)
    if (!to_server_->add(stanza)) return std::nullopt;
  for (const Buffer& stanza : result.to_client)
    if (!to_client_->add(stanza)) return std::nullopt;
  return result;
}

std::optional<std::uint32_t> StreamManagement::resume_failed(std::uint32_t h) {
  const auto count = to_server_ ? to_server_->acknowledge(h) : std::nullopt;
  stop();
  return count;
}

std::uint32_t StreamManagement::repeats(Side from) const {
  const auto& counted = from == Side::client ? to_server_ : to_client_;
  return counted ? counted->repeats() : 0;
}

bool StreamManagement::wants_request(Side to) {
  auto& counted = ledger(other(to));
  return counted && counted->wants_request();
}

void StreamManagement::abandon() {
  stop();
  abandoned_ = true;
}

std::size_t StreamManagement::memory() const {
  std::size_t size = sizeof *this;
  for (const auto* counted : {&to_server_, &to_client_})
    if (*counted) size += (*counted)->memory() - sizeof(Ledger);
  for (const Buffer& stanza : again_to_client_) size += sizeof stanza + stanza.capacity();
  return size;
}

// --- sessions that may be resumed ------------------------------------------------------------------------------------

ResumptionStore::Sessions::iterator ResumptionStore::find(std::string_view id,
                                                          const std::shared_ptr<ManagedSession>& session) {
  const auto entry = sessions_.find(std::string(id));
  return entry != sessions_.end() && entry->second.session == session ? entry : sessions_.end();
}

void ResumptionStore::erase(Sessions::iterator entry) {
  if (entry->second.expires) by_expiry_.erase({*entry->second.expires, entry->first});
  sessions_.erase(entry);
}

void ResumptionStore::expire(Instant now) {
  while (!by_expiry_.empty() && by_expiry_.begin()->first <= now) erase(sessions_.find(by_expiry_.begin()->second));
}

void ResumptionStore::attach(std::string_view id, std::shared_ptr<ManagedSession> session) {
  const auto old = sessions_.find(std::string(id));
  if (old != sessions_.end()) erase(old);
  sessions_.insert({std::string(id), Entry{std::move(session), std::nullopt}});
}

void ResumptionStore::detach(std::string_view id, const std::shared_ptr<ManagedSession>& session, Instant expires) {
  const auto entry = find(id, session);
  if (entry == sessions_.end() || entry->second.expires) return;
  entry->second.expires = expires;
  by_expiry_.insert({expires, entry->first});
  while (by_expiry_.size() > suspended_max_) erase(sessions_.find(by_expiry_.begin()->second));
}

void ResumptionStore::forget(std::string_view id, const std::shared_ptr<ManagedSession>& session) {
  const auto entry = find(id, session);
  if (entry != sessions_.end()) erase(entry);
}

bool ResumptionStore::knows(std::string_view id, std::string_view own) const {
  const auto entry = sessions_.find(std::string(id));
  return entry != sessions_.end() && entry->second.session->own == own;
}

std::shared_ptr<ManagedSession> ResumptionStore::take(std::string_view id, std::string_view own, Instant now) {
  expire(now);
  const auto entry = sessions_.find(std::string(id));
  if (entry == sessions_.end() || entry->second.session->own != own) return nullptr;
  Entry& found = entry->second;
  if (found.expires) {
    by_expiry_.erase({*found.expires, entry->first});
    found.expires.reset();
  } else {
    auto moved = std::make_shared<ManagedSession>(std::move(*found.session));
    found.session->management.abandon();
    found.session = std::move(moved);
  }
  return found.session;
}

std::size_t ResumptionStore::memory() const {
  std::size_t size = sizeof *this;
  for (const auto& [id, entry] : sessions_)
    size += 2 * id.capacity() + sizeof entry + sizeof(ManagedSession) + entry.session->management.memory() +
            entry.session->own.capacity() + entry.session->own_full.capacity();
  return size;
}

}  // namespace chancery::xmpp
