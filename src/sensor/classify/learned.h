#pragma once
// What other flows have taught about addresses and sockets, with an end to it.
//   names:   an address was given to a client as the answer for a name (DNS), or presented a name itself (SNI,
//   certificate) sockets: an address and port spoke a protocol that uses one socket for many peers, or was announced as
//   a peer
// Bounded; what is used least is forgotten first.
#include <array>
#include <optional>
#include <string>

#include "sensor/classify/aging_map.h"
#include "sensor/classify/hosts.h"

namespace chancery::sensor {

struct LearnedLimits {
  std::size_t addresses_max = 32'768;
  std::size_t sockets_max = 65'536;
  Duration ttl_min = std::chrono::minutes{10};  // programs keep an address longer than its TTL
  Duration ttl_max = std::chrono::hours{24};
  Duration socket_life = std::chrono::minutes{30};
};

class LearnedNames {
 public:
  explicit LearnedNames(const LearnedLimits& limits) : limits_(limits), table_(limits.addresses_max) {}

  enum class By : std::uint8_t { dns, handshake };
  struct Name {
    std::string host;
    const HostRule* rule = nullptr;  // null: a name that belongs to nothing of interest
    By by = By::dns;
  };

  // `client` asked, or spoke to it.
  void learn(const Address& server, const Address& client, Name name, Duration ttl, Instant now);

  // What the address is to this client: the one application of all names that it (or if it asked for none: anyone)
  // knows the address by. Nothing: unknown, or it serves other names too. Valid until the next call.
  const Name* find(const Address& server, const Address& client, Instant now);

  std::size_t memory() const;

 private:
  static constexpr std::size_t kNamesMax = 4;  // of one address; the oldest makes room
  struct Known {
    Name name;
    Address client;
    Instant learned, expires;
  };
  struct Entry {
    std::array<std::optional<Known>, kNamesMax> names;
  };
  struct Hash {
    std::size_t operator()(const Address& address) const;
  };

  LearnedLimits limits_;
  AgingMap<Address, Entry, Hash> table_;
};

class LearnedSockets {
 public:
  explicit LearnedSockets(const LearnedLimits& limits) : limits_(limits), table_(limits.sockets_max) {}

  struct Socket {
    std::string_view application;  // static storage
    Category category = Category::other;
    bool announced = false;  // only named as a peer by someone else
    Instant seen;
  };
  void learn(const Endpoint& socket, std::string_view application, Category category, bool announced, Instant now);
  const Socket* find(const Endpoint& socket, Instant now);  // valid until the next call

  std::size_t memory() const { return table_.size() * (sizeof(Endpoint) + sizeof(Socket) + 4 * sizeof(void*)); }

 private:
  struct Hash {
    std::size_t operator()(const Endpoint& endpoint) const;
  };
  LearnedLimits limits_;
  AgingMap<Endpoint, Socket, Hash> table_;
};

}  // namespace chancery::sensor
