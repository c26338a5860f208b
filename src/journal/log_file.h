#pragma once
// The end of a log, where it grows: makes segments, writes groups, syncs. Used by one thread at a time. After an error
// the object is done with: what is on the disk is for recovery to say.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <system_error>

#include "journal/frame_maker.h"
#include "journal/reader.h"

namespace chancery::journal {

class LogFile {
 public:
  // An empty log in `folder` (made, with its segments/).
  LogFile(Disk& disk, std::string folder, std::string origin);
  // One whose last segment was recovered and synced: `file` is open for update, `offset` is its end.
  void continue_segment(std::unique_ptr<File> file, std::uint64_t offset, const Position& end);

  // Makes segment file and sheet; syncs the segment before. docs/formats/journal.md, "Writing".
  std::error_code begin_segment(const Segment& segment);
  // Completes the group headers and writes the groups, all of one segment, at the end. Not durable before `sync`.
  std::error_code write(std::span<PreparedGroup* const> groups);
  std::error_code sync();

  const std::string& folder() const { return folder_; }
  const std::string& origin() const { return origin_; }
  const Position& durable() const { return durable_; }
  std::uint64_t offset() const { return offset_; }

 private:
  std::error_code write_unfinished(const std::string& name, Bytes octets, std::unique_ptr<File>& file);

  Disk* disk_;
  std::string folder_;
  std::string origin_;
  Crypto crypto_;
  std::unique_ptr<File> file_;
  std::uint64_t offset_ = 0;
  Position written_;
  Position durable_;
  std::vector<Bytes> parts_;
};

}  // namespace chancery::journal
