#pragma once
// Which message is a later leg of one that was seen before. On its way a message crosses the mirror several times: from
// its sender to the server, then to each receiver, in flows of their own. The first leg seen is the message; later ones
// name it. Two messages with the same words stay two: each flow brings a message once, so the second time the same
// words come down one flow they belong to the next message that has them.
//
// A later leg has the same protocol, text and parties (what the wire does not say fits anything, but then the server
// must be the same), comes from a server (or has the same id: a SIP proxy is the client of the next leg), and follows
// within kLegTime. Bounded: only the last kLegsMax messages are
// remembered.
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"
#include "event/event.h"
#include "sensor/packet/endpoint.h"

namespace chancery::sensor {

inline constexpr std::size_t kLegsMax = 8'192;
inline constexpr Duration kLegTime = std::chrono::seconds{60};

struct Leg {
  Instant time;
  std::string_view protocol;
  std::string_view from, to;  // `to` empty in a room
  std::string_view room;
  std::string_view text;
  std::string_view id;       // the message's own, if it is the same on every leg (SIP's Call-ID); empty: there is none
  Side side = Side::client;  // who sent this leg
  bool echo = false;         // the sender is shown his own words, so the flow may be the same
  bool delayed = false;      // delivered late: no bound on time
  Endpoint server;
  std::uint64_t flow = 0;  // a number of the flow's own
};

class Legs {
 public:
  Legs();

  // The number of the message that `leg` is a later leg of; otherwise it is remembered under `number`.
  std::optional<std::uint64_t> match(const Leg& leg, std::uint64_t number);

 private:
  static constexpr std::size_t kBuckets = 4'096;
  static constexpr std::size_t kSameMax = 256;     // messages with the same words that are looked at
  static constexpr std::size_t kFlowsMax = 1'024;  // that bring one message

  // A few values without an allocation, more with one.
  class Few {
   public:
    void add(std::uint32_t value) {
      if (count_ < kInline) {
        values_[count_++] = value;
        return;
      }
      if (!more_) more_ = std::make_unique<std::vector<std::uint32_t>>();
      more_->push_back(value);
    }
    bool empty() const { return count_ == 0; }
    std::size_t size() const { return count_ + rest().size(); }
    std::size_t count(std::uint32_t value) const;
    bool meets(const Few& other) const;
    std::uint32_t first() const { return values_[0]; }

   private:
    static constexpr std::size_t kInline = 3;
    std::span<const std::uint32_t> inside() const { return {values_.data(), count_}; }
    std::span<const std::uint32_t> rest() const {
      return more_ ? std::span<const std::uint32_t>{*more_} : std::span<const std::uint32_t>{};
    }
    std::array<std::uint32_t, kInline> values_{};
    std::uint32_t count_ = 0;
    std::unique_ptr<std::vector<std::uint32_t>> more_;
  };

  // Names are kept as hashes; 0: not said. Small: each message writes one, and the ring should stay in the cache.
  struct Known {
    std::uint64_t hash = 0;    // of protocol and text
    std::uint64_t serial = 0;  // counts up from 1; its place in the ring is serial % kLegsMax
    std::uint64_t older = 0;   // serial of the one before it with the same hash; it may be gone
    std::uint64_t number = 0;
    std::uint64_t from = 0, room = 0, id = 0;
    Instant time;
    std::uint32_t text_size = 0;
    Side side = Side::client;
    Address server;
    Few to, flows;  // flows: that brought it, the first one included
  };

  static Known known_of(const Leg& leg, std::uint64_t hash, std::uint64_t number);
  static bool fits(const Known& known, const Known& candidate, const Leg& leg);

  // The newest message of one hash. A bucket with none free puts out the oldest: the ring is looked at only where the
  // hash is the same.
  struct Newest {
    std::uint32_t tag = 0;     // of the hash
    std::uint32_t serial = 0;  // its lower half; 0: none
  };
  using Bucket = std::array<Newest, 4>;
  bool is_alive(std::uint64_t serial) const { return serial != 0 && last_ - serial < kLegsMax; }
  // How many came after it.
  std::uint32_t age(const Newest& newest) const {
    return newest.serial == 0 ? UINT32_MAX : static_cast<std::uint32_t>(last_) - newest.serial;
  }
  Newest& newest_of(std::uint64_t hash);

  std::vector<Known> ring_;
  std::vector<Bucket> buckets_;
  std::uint64_t last_ = 0;  // serial
};

}  // namespace chancery::sensor
