#pragma once
// The journal of one log: append-only segment files with group commit. Format: docs/formats/journal.md.
//
// Life of a record: *pending* (appended, numbered) → *journaled* (its group is synced; only now may what it describes
// be forwarded) → *sealed* (in the Merkle tree) → *published* (under a signed checkpoint) → *witnessed*.
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "core/bytes.h"
#include "core/id.h"
#include "core/time.h"
#include "journal/secret.h"
#include "merkle/leaf.h"

namespace chancery::journal {

inline constexpr std::uint32_t kGroupRecordsMax = 256;       // records in one group
inline constexpr std::uint32_t kPayloadSizeMax = 4U << 20;   // octets of one record, before encryption
inline constexpr std::uint64_t kSegmentSizeMax = 64U << 20;  // octets; a segment is closed at the group that passes it

// What an appender hands over; the journal numbers, encrypts, commits, frames, writes and syncs it.
struct Entry {
  LeafType type = LeafType::record;
  std::uint16_t retention_class = 0;
  Instant time;
  ConversationId conversation;
  std::uint64_t conversation_sequence = 0;
  Buffer payload;       // canonical CBOR of the record; wiped from memory after it was encrypted
  Hash second{};        // only for types whose second hash is not the ciphertext's
  bool urgent = true;   // false: wait for the next group or 100 ms (deliveries need no sync of their own)
  bool joined = false;  // no segment begins before it: it gets the index that `next_index` said
};

// What is durable now, for the sealer and the index. Called on a thread of the journal, in index order, after the
// sync that covers it; never two calls at a time. The spans are valid during the call.
struct Durable {
  std::uint64_t index = 0;
  std::array<char, kLeafSize> leaf;
  Bytes payload;  // plaintext record
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_durable(std::span<const Durable> group) = 0;
  // The writer stopped for good: nothing after `last_durable` is safe. Called once.
  virtual void on_failed(std::error_code why, std::uint64_t durable_size) = 0;
};

enum class JournalError {
  full = 1,  // the bounded queue is full: stop reading sockets until `on_durable`
  failed,    // a write or sync failed; this journal takes nothing more
  closed,
  corrupt,       // damage below what was durable: refuse to open, name it
  foreign,       // not a log of this format or origin
  locked,        // another process writes this log
  too_large,     // Entry::payload over kPayloadSizeMax
  keys_missing,  // the key that seals this log is not in the key store
};
std::error_code make_error_code(JournalError error);

// What became of a batch. Entries [0, count) of it were taken, in order, and have indexes from `first` to `last`: one
// after another but where a segment begins, which takes an index itself (not before a joined entry). If `error` is set,
// entry `count` was refused for it; that entry and all after it are as they were, and can be appended again.
struct Appended {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::size_t count = 0;
  std::error_code error;
};

// The writing half, made by journal::open (open.h). One thread appends (stage, hand_over, append, spare_buffer); the
// journal's own threads write. Group commit without a timer: the next sync starts as soon as the last one ended, with
// all that queued meanwhile.
class Journal {
 public:
  virtual ~Journal() = default;

  // Takes and numbers a record without a lock or a system call; the journal's threads do not see it before `hand_over`.
  // The record's index, at once. It is only pending: wait for Observer::on_durable. Errors: full (everything staged
  // before was handed over, so room will come), failed, closed, too_large; then the entry was not moved from.
  virtual std::expected<std::uint64_t, std::error_code> stage(Entry&& entry) = 0;
  // Hands over all that was staged: one lock, and one wake if no thread of the journal is awake. Call it before the
  // appending thread waits for anything; nothing staged becomes durable without it.
  virtual void hand_over() = 0;

  // One record, or a batch in its order, handed over at once. Each entry is taken or refused as if appended alone; the
  // first that is refused ends the batch.
  std::expected<std::uint64_t, std::error_code> append(Entry&& entry);
  Appended append(std::span<Entry> entries);

  // An empty buffer for Entry::payload which has the memory of an earlier, wiped one when there is one, so that a
  // record can be encoded without allocating.
  virtual Buffer spare_buffer() { return {}; }

  virtual const std::string& origin() const = 0;        // "site/node/epoch"
  virtual std::uint64_t next_index() const = 0;         // index the next joined entry gets; any thread
  virtual std::uint64_t durable_size() const = 0;       // every index below is durable; any thread
  virtual ConversationId log_conversation() const = 0;  // the log's own conversation, for records about the record
  // 32 octets bound to this log, the same after each restart, known only with the key store. For what must be random to
  // others and stable to us (conversation ids). Not while another thread is in it.
  virtual Secret derive_secret(std::string_view label) = 0;
  // Hands over and syncs what is queued, stops the threads; idempotent; never from within an Observer, nor while
  // another thread appends.
  virtual void close() = 0;
};

}  // namespace chancery::journal

template <>
struct std::is_error_code_enum<chancery::journal::JournalError> : std::true_type {};
