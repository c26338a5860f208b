#pragma once
// 128-bit random ids of connections, sessions and conversations. Three different types, so that they cannot be mixed.
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>

#include "core/bytes.h"
#include "core/encoding.h"

namespace chancery {

template <class Tag>
struct Id {
  std::array<std::uint8_t, 16> octets{};

  auto operator<=>(const Id&) const = default;
  bool is_nil() const { return *this == Id{}; }
  Bytes bytes() const { return {reinterpret_cast<const char*>(octets.data()), octets.size()}; }
  std::string hex() const { return to_hex(bytes()); }

  static std::optional<Id> from_bytes(Bytes source) {
    Id id;
    if (source.size() != id.octets.size()) return std::nullopt;
    std::memcpy(id.octets.data(), source.data(), source.size());
    return id;
  }
};

using ConnectionId = Id<struct ConnectionTag>;      // one TCP connection of a client and its upstream
using SessionId = Id<struct SessionTag>;            // one signed-in address on a network; can span connections
using ConversationId = Id<struct ConversationTag>;  // one room, or one pair of addresses, on one network

}  // namespace chancery

template <class Tag>
struct std::hash<chancery::Id<Tag>> {
  std::size_t operator()(const chancery::Id<Tag>& id) const noexcept {
    std::size_t value = 0;  // the octets are random, so any eight of them are a hash
    std::memcpy(&value, id.octets.data(), sizeof value);
    return value;
  }
};
