#pragma once
// One file of the index: SQLite with FTS5, holding the records [first, complete_to) of one log, all from one month as
// the log's own clock first said it. docs/formats/index.md.
//
// Everything here can throw SqliteError.
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "archive/sqlite.h"
#include "core/time.h"
#include "event/record.h"
#include "merkle/leaf.h"

namespace chancery::archive {

using LeafOctets = std::array<char, kLeafSize>;

// How far a file goes.
struct MonthState {
  std::string origin;                   // of the log
  std::uint64_t first = 0;              // index of its first record
  std::uint64_t complete_to = 0;        // every record of the log from `first` to below this is in the file
  Instant newest{};                     // time of the newest record in it
  std::optional<LeafOctets> last_leaf;  // of record complete_to - 1: tells the same log from another of its name
};

// The writing half. Rows become visible to readers, and durable, together at `commit`.
class MonthWriter {
 public:
  // Opens the file, or makes it for a log that goes on at `first`. Throws SqliteError (damaged() is true) when the file
  // is not of this format or of another log.
  MonthWriter(const std::filesystem::path& file, std::string_view origin, std::uint64_t first);

  const MonthState& state() const { return state_; }
  // `index` must be state().complete_to, or what the last `add` or `skip` gave plus one.
  void add(std::uint64_t index, Record record, const LeafOctets& leaf);
  void skip(std::uint64_t index, Instant time, const LeafOctets& leaf);  // nothing in it to search for, or unreadable
  void commit();
  std::uint64_t pending() const { return pending_; }  // added or skipped since the last commit

 private:
  void begin();
  void advance(std::uint64_t index, Instant time, const LeafOctets& leaf);
  void add_deliveries(std::uint64_t index, const Record& record);

  Database database_;
  MonthState state_;
  std::optional<Statement> insert_message_, insert_words_, insert_delivery_, insert_change_, insert_minute_,
      save_state_;
  std::map<std::int64_t, std::pair<std::uint64_t, std::uint64_t>> minutes_;  // since the last commit: first, last index
  std::uint64_t pending_ = 0;
  std::string text_, tags_;
};

// Reads one file, also while another process writes it.
class MonthReader {
 public:
  explicit MonthReader(const std::filesystem::path& file);
  const MonthState& state() const { return state_; }

  // The records that match, newest first, one after the other. `match` is what to_match gave.
  class Cursor {
   public:
    Cursor(const Database& database, const std::string& match, std::pair<std::uint64_t, std::uint64_t> range);
    bool next();
    std::uint64_t index() const;

   private:
    Statement statement_;
  };
  Cursor find(const std::string& match, std::optional<Instant> since, std::optional<Instant> until) const;

  struct Stored {
    Instant time;
    Record record;  // without the wire
  };
  // nullopt: not in this file, or not of that time.
  std::optional<Stored> at(std::uint64_t index, std::optional<Instant> since = {}, std::optional<Instant> until = {});
  // Deliveries of a record, in the order they were recorded.
  void deliveries_of(std::uint64_t index, std::vector<Delivery>& out);
  // Records of this file that edit, retract or react to what `id` names in `conversation`.
  std::vector<std::uint64_t> changes_of(const ConversationId& conversation, std::string_view id);

  // Runs SQLite's and FTS5's own checks, which read the whole file. False: damaged.
  bool check();

 private:
  std::pair<std::uint64_t, std::uint64_t> range_of(std::optional<Instant> since, std::optional<Instant> until) const;

  Database database_;
  MonthState state_;
  std::optional<Statement> at_, deliveries_, changes_;
};

// "2026-05": the file's name is this with ".db".
std::string month_of(Instant time);

}  // namespace chancery::archive
