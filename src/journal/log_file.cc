#include "journal/log_file.h"

#include <cstring>

namespace chancery::journal {

LogFile::LogFile(Disk& disk, std::string folder, std::string origin)
    : disk_(&disk), folder_(std::move(folder)), origin_(std::move(origin)) {
  written_.chain = durable_.chain = first_chain(crypto_, origin_);
}

void LogFile::continue_segment(std::unique_ptr<File> file, std::uint64_t offset, const Position& end) {
  file_ = std::move(file);
  offset_ = offset;
  written_ = durable_ = end;
}

// The file stays under its unfinished name.
std::error_code LogFile::write_unfinished(const std::string& name, Bytes octets, std::unique_ptr<File>& file) {
  auto made = disk_->open(folder_ + "/" + name + ".new", Disk::Mode::create);
  if (!made) return made.error();
  file = *std::move(made);
  if (const auto error = file->write_at(0, octets)) return error;
  return file->sync();
}

std::error_code LogFile::begin_segment(const Segment& segment) {
  if (const auto error = sync()) return error;
  const SegmentHeader header{segment.number, segment.first_index, file_ ? offset_ : 0,
                             written_.chain, segment.key,         origin_};
  const auto octets = encode(header);
  const std::string sheet_name = sheet_file(segment.number), name = segment_file(segment.number);
  std::unique_ptr<File> sheet, file;
  if (const auto error = write_unfinished(sheet_name, segment.sheet, sheet)) return error;
  if (const auto error = write_unfinished(name, {octets.data(), octets.size()}, file)) return error;
  // The directory is synced after each: a segment whose sheet is not there could not be read.
  for (const std::string& path : {folder_ + "/" + sheet_name, folder_ + "/" + name}) {
    if (const auto error = disk_->rename(path + ".new", path)) return error;
    if (const auto error = disk_->sync_directory(folder_ + "/segments")) return error;
  }
  file_ = std::move(file);
  offset_ = octets.size();
  return {};
}

std::error_code LogFile::write(std::span<PreparedGroup* const> groups) {
  parts_.clear();
  std::uint64_t size = 0;
  for (PreparedGroup* group : groups) {
    const GroupHeader header{static_cast<std::uint32_t>(group->entries.size()),
                             static_cast<std::uint32_t>(group->octets.size() - kGroupHeaderSize),
                             group->first_index,
                             durable_.size,
                             group->frames_crc,
                             written_.chain};
    const auto octets = encode(header);
    std::memcpy(group->octets.data(), octets.data(), octets.size());
    written_.chain = next_chain(crypto_, {octets.data(), octets.size()}, group->leaf(group->leaves.size() - 1));
    written_.size = group->first_index + header.frames;
    parts_.push_back(group->octets);
    size += group->octets.size();
  }
  if (const auto error = file_->write_at(offset_, parts_)) return error;
  offset_ += size;
  return {};
}

std::error_code LogFile::sync() {
  if (durable_.size == written_.size) return {};
  if (const auto error = file_->sync()) return error;
  durable_ = written_;
  return {};
}

}  // namespace chancery::journal
