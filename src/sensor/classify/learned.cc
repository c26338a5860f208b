#include "sensor/classify/learned.h"

#include <algorithm>
#include <cstring>

namespace chancery::sensor {
namespace {

std::uint64_t mix(std::uint64_t value) {  // splitmix64's finaliser
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
  return value ^ (value >> 31);
}

std::size_t hash(const Address& address, std::uint64_t extra) {
  std::array<std::uint64_t, 2> halves{};
  std::memcpy(halves.data(), address.octets.data(), sizeof halves);
  return mix(mix(halves[0] + extra) ^ halves[1]);
}

}  // namespace

std::size_t LearnedNames::Hash::operator()(const Address& address) const { return hash(address, 0); }
std::size_t LearnedSockets::Hash::operator()(const Endpoint& endpoint) const {
  return hash(endpoint.address, endpoint.port);
}

void LearnedNames::learn(const Address& server, const Address& client, Name name, Duration ttl, Instant now) {
  Entry& entry = table_.at(server);
  std::optional<Known>* place = &entry.names.front();
  for (std::optional<Known>& known : entry.names) {
    const bool same = known && known->client == client && known->name.host == name.host;
    if (!known || same || known->expires < now) {
      place = &known;
      break;
    }
    if (known->learned < (*place)->learned) place = &known;
  }
  *place = Known{std::move(name), client, now, now + std::clamp(ttl, limits_.ttl_min, limits_.ttl_max)};
}

const LearnedNames::Name* LearnedNames::find(const Address& server, const Address& client, Instant now) {
  const Entry* entry = table_.find(server);
  if (entry == nullptr) return nullptr;
  const auto asked = [&](const std::optional<Known>& known) {
    return known && known->client == client && known->expires >= now;
  };
  const bool own = std::ranges::any_of(entry->names, asked);
  const Name* found = nullptr;
  for (const std::optional<Known>& known : entry->names) {
    if (!known || known->expires < now || (own && known->client != client)) continue;
    if (known->name.rule == nullptr) return nullptr;
    if (found != nullptr && found->rule->application != known->name.rule->application) return nullptr;
    found = &known->name;
  }
  return found;
}

std::size_t LearnedNames::memory() const {
  constexpr std::size_t kHostUsual = 32;  // beyond what a string holds in itself
  return table_.size() * (sizeof(Entry) + sizeof(Address) + kHostUsual);
}

void LearnedSockets::learn(const Endpoint& socket, std::string_view application, Category category, bool announced,
                           Instant now) {
  Socket& known = table_.at(socket);
  if (announced && !known.application.empty() && !known.announced && now - known.seen < limits_.socket_life) return;
  known = {application, category, announced, now};
}

const LearnedSockets::Socket* LearnedSockets::find(const Endpoint& socket, Instant now) {
  const Socket* known = table_.find(socket);
  return known != nullptr && now - known->seen < limits_.socket_life ? known : nullptr;
}

}  // namespace chancery::sensor
