#include "sensor/read/legs.h"

#include <algorithm>
#include <cstring>

namespace chancery::sensor {
namespace {

// Nothing that must resist an attacker: a false match joins two equal texts.
constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15ULL;

std::uint64_t mixed(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * kMultiplier;
  return hash ^ hash >> 32U;
}

std::uint64_t hash_of(std::string_view text, std::uint64_t hash) {
  hash = mixed(hash, text.size());
  for (; text.size() >= sizeof(std::uint64_t); text.remove_prefix(sizeof(std::uint64_t))) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    hash = mixed(hash, word);
  }
  std::uint64_t rest = 0;
  if (!text.empty()) std::memcpy(&rest, text.data(), text.size());
  return mixed(hash, rest);
}

// Eight octets at once, ASCII's capitals made small.
std::uint64_t folded(std::uint64_t word) {
  constexpr std::uint64_t kEach = 0x0101010101010101ULL, kHigh = 0x80 * kEach;
  const std::uint64_t low = word & ~kHigh;
  const std::uint64_t from_a = low + (0x80 - 'A') * kEach, behind_z = low + (0x7f - 'Z') * kEach;
  const std::uint64_t capital = ~word & kHigh & (from_a ^ behind_z);
  return word | capital >> 2U;
}

// Names are compared without case (ASCII's).
std::uint64_t name_hash(std::string_view name) {
  if (name.empty()) return 0;
  std::uint64_t hash = mixed(kMultiplier, name.size());
  for (; name.size() >= sizeof(std::uint64_t); name.remove_prefix(sizeof(std::uint64_t))) {
    std::uint64_t word = 0;
    std::memcpy(&word, name.data(), sizeof word);
    hash = mixed(hash, folded(word));
  }
  std::uint64_t rest = 0;
  if (!name.empty()) std::memcpy(&rest, name.data(), name.size());
  return mixed(hash, folded(rest)) | 1U;
}

bool same_or_unsaid(std::uint64_t a, std::uint64_t b) { return a == 0 || b == 0 || a == b; }

}  // namespace

std::size_t Legs::Few::count(std::uint32_t value) const {
  return static_cast<std::size_t>(std::ranges::count(inside(), value) + std::ranges::count(rest(), value));
}

bool Legs::Few::meets(const Few& other) const {
  const auto in_other = [&](std::uint32_t value) { return other.count(value) > 0; };
  return std::ranges::any_of(inside(), in_other) || std::ranges::any_of(rest(), in_other);
}

Legs::Legs() : ring_(kLegsMax), buckets_(kBuckets) {}

Legs::Known Legs::known_of(const Leg& leg, std::uint64_t hash, std::uint64_t number) {
  Known known;
  known.number = number;
  known.hash = hash;
  known.text_size = static_cast<std::uint32_t>(leg.text.size());
  known.from = name_hash(leg.from);
  known.room = name_hash(leg.room);
  known.id = name_hash(leg.id);
  for (std::string_view rest = leg.to; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    known.to.add(static_cast<std::uint32_t>(name_hash(rest.substr(0, comma))));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  known.time = leg.time;
  known.side = leg.side;
  known.server = leg.server.address;
  known.flows.add(static_cast<std::uint32_t>(leg.flow));
  return known;
}

bool Legs::fits(const Known& known, const Known& candidate, const Leg& leg) {
  if (known.hash != candidate.hash || known.text_size != candidate.text_size) return false;
  const Duration apart = leg.time > known.time ? leg.time - known.time : known.time - leg.time;
  if (apart > kLegTime && !leg.delayed) return false;
  // Two words of two clients are two messages; of a client and a server one of them is the later leg.
  const bool same_id = known.id != 0 && known.id == candidate.id;
  if (known.side == Side::client && leg.side == Side::client && !same_id) return false;
  const bool unsaid = known.from == 0 || candidate.from == 0 || (known.to.empty() && known.room == 0) ||
                      (candidate.to.empty() && candidate.room == 0);
  if (unsaid && known.server != leg.server.address) return false;
  if (known.room != 0 && candidate.room != 0) {
    // A room shows its people under other names than their own.
    return known.room == candidate.room && (same_or_unsaid(known.from, candidate.from) || known.side != candidate.side);
  }
  if (!same_or_unsaid(known.from, candidate.from)) return false;
  if ((known.room != 0) != (candidate.room != 0)) return known.to.empty() && candidate.to.empty();
  return known.to.empty() || candidate.to.empty() || known.to.meets(candidate.to);
}

// The place of the hash in its bucket; one with another tag, or none, is to be taken over.
Legs::Newest& Legs::newest_of(std::uint64_t hash) {
  Bucket& bucket = buckets_[hash % kBuckets];
  const auto tag = static_cast<std::uint32_t>(hash >> 32U);
  Newest* oldest = bucket.data();
  for (Newest& each : bucket) {
    if (each.tag == tag && age(each) < kLegsMax) return each;
    if (age(each) > age(*oldest)) oldest = &each;
  }
  return *oldest;
}

std::optional<std::uint64_t> Legs::match(const Leg& leg, std::uint64_t number) {
  const std::uint64_t hash = hash_of(leg.text, hash_of(leg.protocol, kMultiplier));
  // Both are out of the cache by now, and come while the names are hashed.
  __builtin_prefetch(&buckets_[hash % kBuckets]);
  __builtin_prefetch(&ring_[(last_ + 1) % kLegsMax], 1);
  Known candidate = known_of(leg, hash, number);
  const auto tag = static_cast<std::uint32_t>(candidate.hash >> 32U);
  Newest& newest = newest_of(candidate.hash);
  const std::uint64_t before = newest.tag == tag && age(newest) < kLegsMax ? last_ - age(newest) : 0;
  Known* found = nullptr;  // the oldest that fits; one with the same id before all others
  std::size_t looked_at = 0;
  for (std::uint64_t serial = before; is_alive(serial) && looked_at < kSameMax; ++looked_at) {
    Known& known = ring_[serial % kLegsMax];
    serial = known.older;
    if (known.hash != candidate.hash) continue;
    const auto flow = static_cast<std::uint32_t>(leg.flow);
    const std::size_t brought = known.flows.count(flow);
    const bool own_words = leg.echo && known.side == Side::client && known.flows.first() == flow && brought == 1;
    if ((brought != 0 && !own_words) || !fits(known, candidate, leg)) continue;
    const bool found_by_id = found != nullptr && found->id != 0 && found->id == candidate.id;
    if (!found_by_id || known.id == candidate.id) found = &known;
  }
  if (found != nullptr) {
    if (found->flows.size() < kFlowsMax) found->flows.add(static_cast<std::uint32_t>(leg.flow));
    return found->number;
  }
  candidate.serial = ++last_;
  candidate.older = before;
  newest = {tag, static_cast<std::uint32_t>(last_)};
  ring_[last_ % kLegsMax] = std::move(candidate);
  return std::nullopt;
}

}  // namespace chancery::sensor
