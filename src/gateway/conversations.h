#pragma once
// Which conversation an event belongs to, and the next sequence number there. The id is the same for one room, or one
// pair of addresses, on one network for as long as the archive's secret lives, and tells nothing to whoever reads the
// Merkle leaves: the first 16 octets of HMAC-SHA256(secret, key).
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/bytes.h"
#include "core/id.h"
#include "event/event.h"

namespace chancery::gateway {

class Conversations {
 public:
  // `secret`: the journal's, under the label "conversation".
  explicit Conversations(Bytes secret) : secret_(secret) {}

  // Of an event in a room or between two addresses. Network-scope events belong to their connection's own
  // conversation, which is not kept here.
  ConversationId of(std::string_view network, const Event& event);

  // The next sequence there; whoever used it counts it up. Valid until the next call.
  std::uint64_t& next(const ConversationId& id) { return next_[id]; }
  // At start, from the log: `sequence` was used.
  void used(const ConversationId& id, std::uint64_t sequence);
  const std::unordered_map<ConversationId, std::uint64_t>& sequences() const { return next_; }

 private:
  static constexpr std::size_t kRememberedMax = 65'536;  // ids by key: spares the HMAC

  ConversationId identify(const std::string& key);

  Buffer secret_;
  std::unordered_map<std::string, ConversationId> ids_;
  std::unordered_map<ConversationId, std::uint64_t> next_;
  std::string key_;  // kept for its memory
};

// What addresses are compared by: ASCII letters in lower case. Codecs have normalised what their protocol says.
std::string fold_address(std::string_view address);
void append_folded(std::string& out, std::string_view address);

}  // namespace chancery::gateway
