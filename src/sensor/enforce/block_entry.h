#pragma once
// One entry of the block list and its life: proposed → approved → (expired | revoked), or proposed → rejected.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/time.h"
#include "sensor/classify/classifier.h"
#include "sensor/packet/endpoint.h"

namespace chancery::sensor {

// What an entry blocks. It is its own key: the same target is not proposed twice.
struct BlockTarget {
  enum class Kind : std::uint8_t {
    address,   // everything to and from `endpoint.address`
    endpoint,  // `transport` to `endpoint`
    port,      // `transport` to `endpoint.port` of any address
    name,      // `name` and all below it
  };
  Kind kind = Kind::name;
  Endpoint endpoint;
  Transport transport = Transport::tcp;
  std::string name;  // lower case; is_host_name

  std::string text() const;  // "192.0.2.1", "tcp/192.0.2.1:5222", "tcp/1863", "chat.example.net"
  static std::optional<BlockTarget> parse(std::string_view text);
  bool operator==(const BlockTarget&) const = default;
};
std::string_view to_string(BlockTarget::Kind kind);

enum class BlockState : std::uint8_t { proposed, approved, rejected, revoked, expired };
std::string_view to_string(BlockState state);
std::optional<BlockState> parse_block_state(std::string_view text);

struct BlockEntry {
  std::uint64_t id = 0;
  BlockTarget target;
  BlockState state = BlockState::proposed;
  std::string application;
  Category category = Category::other;
  std::string reason;                // plain words; never goes where another program would read it as syntax
  std::vector<std::string> clients;  // who would be hit, as addresses; at most kClientsShown
  std::uint64_t client_count = 0;
  std::uint64_t flows = 0;
  Instant first_seen, last_seen;
  Instant proposed_at;
  std::string decided_by;  // empty: nobody yet
  std::optional<Instant> decided_at;
  std::optional<Instant> expires_at;

  static constexpr std::size_t kClientsShown = 20;

  // Approved and not past its time.
  bool in_force(Instant now) const { return state == BlockState::approved && (!expires_at || *expires_at > now); }
};

}  // namespace chancery::sensor
