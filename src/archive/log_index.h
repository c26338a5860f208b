#pragma once
// The index of one log: a folder ARCHIVE.index/<site>/<node>/<epoch> of month files, each going on where the one
// before ends. A record whose time lies before the newest file's month (a clock that stepped back) goes into that file:
// so only the newest is ever written, and the files' ranges never overlap.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/month_index.h"

namespace chancery::archive {

// The month files of a log's index, oldest first.
std::vector<std::filesystem::path> month_files(const std::filesystem::path& log_index_folder);

// ARCHIVE.index/<origin>
std::filesystem::path log_index_folder(const std::filesystem::path& index, std::string_view origin);

// Told of each record before it is added, in the order of the log, on the writer's thread; of some again when a damaged
// index is made anew. `record` is null when it cannot be read. For whoever else follows the log and wants each record
// decoded once. Must not throw.
using RecordSink = std::function<void(std::uint64_t index, const LeafOctets& leaf, const Record* record)>;

// The only writer of a log's index; holds a lock while it lives.
class LogIndexWriter {
 public:
  // Throws Busy when another process holds the lock; SqliteError or std::filesystem::filesystem_error when the folder
  // cannot be written. A newest file that is damaged is removed: its records come again.
  LogIndexWriter(const std::filesystem::path& index, std::string origin, RecordSink on_record = {});
  ~LogIndexWriter();

  struct Busy : std::runtime_error {
    using std::runtime_error::runtime_error;
  };

  std::uint64_t complete_to() const;  // the next record that `add` or `skip` takes; not yet committed ones included
  std::optional<LeafOctets> last_leaf() const;
  std::uint64_t pending() const { return month_ ? month_->pending() : 0; }
  int damaged_files() const { return damaged_files_; }

  void add(Record record, const LeafOctets& leaf);
  void skip(Instant time, const LeafOctets& leaf);
  void commit();

  // Throws all away: the next record is 0.
  void clear();
  // Throws the newest file away, which turned out to be damaged: its records come again.
  void discard_newest();

 private:
  void open_newest();
  void remove_month(const std::filesystem::path& file);
  MonthWriter& month_for(Instant time);

  std::filesystem::path folder_;
  std::string origin_;
  RecordSink on_record_;
  int lock_ = -1;
  std::string month_name_;
  std::unique_ptr<MonthWriter> month_;
  int damaged_files_ = 0;
};

}  // namespace chancery::archive
