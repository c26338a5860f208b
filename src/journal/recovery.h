#pragma once
// Reads the end of a log after whatever stopped its last writer, and tells a torn tail from damage.
// docs/formats/journal.md, "Opening", steps 3 to 5.
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "journal/format.h"
#include "journal/open.h"
#include "journal/reader.h"
#include "journal/scan.h"

namespace chancery::journal {

OpenFailure failure(std::error_code code, std::string detail);

// The segments of a log as their headers tell it.
struct LogShape {
  std::vector<SegmentHeader> headers;  // of segments 0, 1, …
};

// Checks every header against its file's name, the origin, and the segment after it.
std::expected<LogShape, OpenFailure> read_shape(Disk& disk, const std::string& folder, const std::string& origin);

// The last segment, read to the end of its last whole group.
struct Tail {
  SegmentHeader header;
  std::unique_ptr<File> file;       // open for update
  std::uint64_t size = 0;           // of the file
  std::uint64_t offset = 0;         // end of the whole groups; < size: what follows is torn
  Position end;                     // of the whole groups
  std::uint64_t durable = 0;        // the highest that a group header states
  std::uint64_t unsure_offset = 0;  // groups from here on were perhaps never synced
  bool passed_known = false;        // `known` is at the end of one of its groups
  std::string problem;              // what is wrong at `offset`, if anything
};

// What must hold of the log: less is damage or a rollback.
struct Known {
  Position durable;             // from the state folder
  std::uint64_t published = 0;  // size of the newest checkpoint
};

// Reads the last segment. `corrupt`: a group that was durable cannot be read.
std::expected<Tail, OpenFailure> read_tail(Crypto& crypto, Disk& disk, const std::string& folder, const LogShape& shape,
                                           const Known& known);

// Whether the log went through `known.durable`: nullopt if it ends below.
std::expected<std::optional<bool>, OpenFailure> passed(Crypto& crypto, Disk& disk, const std::string& folder,
                                                       const LogShape& shape, const Tail& tail, const Position& known);

// Removes what an unfinished making of a segment left: names that end in .new, a sheet without its segment.
std::error_code remove_unfinished(Disk& disk, const std::string& folder, const LogShape& shape);

// Writes the groups that may never have been synced again in place, and syncs.
std::error_code confirm_tail(Tail& tail);

// Keeps the octets after the last whole group under torn/ and cuts them off. nullopt: there were none. Can be repeated
// after a crash at any point.
std::expected<std::optional<TornTail>, OpenFailure> set_torn_aside(Disk& disk, const std::string& folder, Tail& tail);

// The next sequence of a conversation in the log, from the newest segment that has one of its leaves.
std::expected<std::uint64_t, OpenFailure> next_sequence(Crypto& crypto, Disk& disk, const std::string& folder,
                                                        const LogShape& shape, const ConversationId& conversation);

// The first leaf of the log; nullopt if it holds none.
std::expected<std::optional<Leaf>, OpenFailure> first_leaf(Crypto& crypto, Disk& disk, const std::string& folder,
                                                           const LogShape& shape);

}  // namespace chancery::journal
