#pragma once
// What the gateway must remember over a restart. All of it is in the log; a snapshot in the state folder only spares
// reading the log from its start. docs/guide/gateway.md, "What a restart reads".
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "event/record.h"
#include "gateway/conversations.h"
#include "gateway/legs.h"
#include "gateway/notices.h"
#include "merkle/leaf.h"

namespace chancery::gateway {

struct Memory {
  std::unordered_map<ConversationId, std::uint64_t> sequences;  // next one
  std::unordered_map<std::string, Instant> notices;
  Counters today;
  Instant day;

  // Connections that have a stream_open and no stream_close: the process ended under them.
  struct Unfinished {
    std::string protocol, network, account;
    SessionId session;
    std::uint64_t next_sequence = 0;  // of the connection's own conversation
    Counters counters;                // outcomes known from the records; the rest is unknown_after_crash
    bool operator==(const Unfinished&) const = default;
  };
  std::map<ConnectionId, Unfinished> unfinished;

  std::uint64_t size = 0;  // records of the log that are in here
};

// Takes the log's records one after another.
class Recall {
 public:
  Recall(Memory& memory, Legs& legs) : memory_(memory), legs_(&legs) {}
  explicit Recall(Memory& memory) : memory_(memory) {}  // without the legs
  // `payload` null: the record cannot be read (erased, or no key); then only its sequence counts.
  void record(std::uint64_t index, const Leaf& leaf, const Bytes* payload);
  void decoded(std::uint64_t index, const Leaf& leaf, const Record* record);

 private:
  void read(std::uint64_t index, const Record& record);
  void read_event(std::uint64_t index, const Record& record);

  Memory& memory_;
  Legs* legs_ = nullptr;
};

// A snapshot belongs to one log (`origin`). Written to a temporary file, synced and renamed. Failing to write one only
// makes the next start slower. `load`: nothing when it is missing, damaged, of another version or another log.
std::error_code save_memory(const std::filesystem::path& file, std::string_view origin, const Memory& memory);
std::optional<Memory> load_memory(const std::filesystem::path& file, std::string_view origin);

}  // namespace chancery::gateway
