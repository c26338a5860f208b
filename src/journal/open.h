#pragma once
// Opens the log of one writer: recovers it, or begins a new epoch, and starts the journal's threads.
// docs/formats/journal.md, "Opening".
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "core/time.h"
#include "journal/file.h"
#include "journal/journal.h"
#include "journal/keystore.h"

namespace chancery::journal {

// Why a log begins. The epoch record says it in words.
enum class EpochReason : std::uint8_t {
  first,          // the node never wrote here
  state_missing,  // the archive was used, but the state folder does not know it
  rolled_back,    // the archive holds less than this node had made durable
  forked,         // … or something else than it wrote
  restored,       // backup.json: a copy made by `archive backup`
};

// For the maker of a log's first record (Kind::epoch).
struct NewEpoch {
  std::string origin;  // of the new log
  EpochReason reason = EpochReason::first;
  std::optional<std::string> previous_origin;  // read its `checkpoint` file for the last known checkpoint
  std::uint64_t previous_size = 0;             // what this node knew to be durable there; 0: nothing known
};

// For the maker of a gap record (Kind::gap).
struct TornTail {
  std::string path;  // relative to the log's folder: "torn/00000000-17.torn"
  std::uint32_t segment = 0;
  std::uint64_t first_index = 0;  // of the first record that may have been in it
  std::uint64_t size = 0;         // octets kept aside
};

// What a record written by `open` itself is encoded with.
struct OwnRecord {
  std::uint64_t index = 0;
  Instant time;
  ConversationId conversation;  // the log's own
  std::uint64_t conversation_sequence = 0;
};

// A time at which this log could not be written, from the reserve in the state folder.
struct Outage {
  Instant time;
  std::uint64_t durable_size = 0;
  std::string what;  // the system's message; never message text
};

struct Options {
  Disk* disk = nullptr;
  std::string archive;           // folder; made, with archive.json, when missing
  std::string state;             // folder; made when missing
  std::string site, node;        // [a-z0-9][a-z0-9.-]{0,62}
  KeyStore* keys = nullptr;      // must outlive the journal
  Observer* observer = nullptr;  // must outlive the journal
  Instant now;

  // Both give the canonical CBOR of the record. Called during `open`, on its thread.
  std::function<Buffer(const NewEpoch&, const OwnRecord&)> epoch_record;
  std::function<Buffer(const TornTail&, const OwnRecord&)> gap_record;
  // Size of the newest published checkpoint of this log, 0 if there is none: damage below it is corruption.
  std::function<std::uint64_t(const std::string& origin)> published_size;
  // The clock for the outage reserve; the journal writes no other time of its own.
  std::function<Instant()> clock;

  std::uint32_t queue_records_max = 16384;     // appended and not yet reported durable
  std::uint64_t queue_octets_max = 64U << 20;  // … their payloads
  std::uint64_t segment_size_max = kSegmentSizeMax;
  std::uint32_t threads = 2;  // 1…8; they share encrypting, hashing, syncing and reporting
  // Raised priority of these threads: 0 (as the process) … 20; their nice value is its negative. On a busy machine the
  // wait for a processor, not the disk, is what makes a sync late.
  std::uint32_t priority = 0;
  // The system refused it (CAP_SYS_NICE is missing); they run on as they are. Called once, on a thread of the journal.
  std::function<void(std::error_code)> on_priority_refused;
};

// What `open` found. The caller records what it must (an unclean restart, outages).
struct Recovery {
  bool clean = false;                 // the last writer ended by `close`
  std::optional<NewEpoch> new_epoch;  // this log was begun now
  std::optional<TornTail> torn;       // …and its gap record was written
  std::vector<Outage> outages;        // cleared from the reserve by `forget_outages`
  std::uint64_t log_sequence = 0;     // next sequence in the log's own conversation
};

struct Opened {
  std::unique_ptr<Journal> journal;
  Recovery recovery;
};

struct OpenFailure {
  std::error_code code;
  std::string detail;  // for the operator: which file, offset, index and what would be valid
};

// Errors: corrupt, foreign, locked, keys_missing, the system's. Records that `open` itself writes (epoch, gap,
// segment_opened) are durable when it returns and are not reported to the observer: whoever follows the log starts
// from a Reader up to Journal::durable_size() and goes on from there with `on_durable`.
std::expected<Opened, OpenFailure> open(const Options& options);

// After the records of `Recovery::outages` are durable.
std::error_code forget_outages(Disk& disk, const std::string& state, const std::string& site, const std::string& node);

// "ARCHIVE/logs/<origin>"
std::string log_folder(const std::string& archive, const std::string& origin);

}  // namespace chancery::journal
