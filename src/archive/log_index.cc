#include "archive/log_index.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

namespace chancery::archive {

namespace fs = std::filesystem;

namespace {

bool is_month_file(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.size() == 10 && name[4] == '-' && name.ends_with(".db");
}

// Taken on a file of its own: SQLite has its own locks on the database files.
int take_lock(const fs::path& folder, const std::string& origin) {
  const fs::path file = folder / "lock";
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) throw fs::filesystem_error("cannot open", file, {errno, std::generic_category()});
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
  ::close(descriptor);
  throw LogIndexWriter::Busy(fmt::format("the index of {} is being written by another process", origin));
}

}  // namespace

fs::path log_index_folder(const fs::path& index, std::string_view origin) { return index / origin; }

std::vector<fs::path> month_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (is_month_file(entry.path())) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

LogIndexWriter::LogIndexWriter(const fs::path& index, std::string origin, RecordSink on_record)
    : folder_(log_index_folder(index, origin)), origin_(std::move(origin)), on_record_(std::move(on_record)) {
  fs::create_directories(folder_);
  fs::permissions(index, fs::perms::owner_all);  // it holds the text of every message
  lock_ = take_lock(folder_, origin_);
  open_newest();
}

LogIndexWriter::~LogIndexWriter() {
  month_.reset();
  if (lock_ >= 0) ::close(lock_);
}

void LogIndexWriter::open_newest() {
  month_.reset();
  month_name_.clear();
  auto files = month_files(folder_);
  while (!files.empty()) {
    try {
      month_ = std::make_unique<MonthWriter>(files.back(), origin_, 0);
      month_name_ = files.back().stem().string();
      return;
    } catch (const SqliteError& error) {
      if (!error.damaged()) throw;
      remove_month(files.back());
      files.pop_back();
      ++damaged_files_;
    }
  }
}

void LogIndexWriter::remove_month(const fs::path& file) {
  for (const auto* suffix : {"", "-wal", "-shm"}) fs::remove(fs::path{file} += suffix);
}

void LogIndexWriter::clear() {
  month_.reset();
  month_name_.clear();
  for (const auto& file : month_files(folder_)) remove_month(file);
}

void LogIndexWriter::discard_newest() {
  month_.reset();
  if (const auto files = month_files(folder_); !files.empty()) remove_month(files.back());
  open_newest();
}

std::uint64_t LogIndexWriter::complete_to() const { return month_ ? month_->state().complete_to : 0; }

std::optional<LeafOctets> LogIndexWriter::last_leaf() const {
  return month_ ? month_->state().last_leaf : std::nullopt;
}

MonthWriter& LogIndexWriter::month_for(Instant time) {
  std::string name = month_of(time);
  if (!month_ || name > month_name_) {
    const std::uint64_t first = complete_to();
    if (month_) month_->commit();
    month_ = std::make_unique<MonthWriter>(folder_ / (name + ".db"), origin_, first);
    month_name_ = std::move(name);
  }
  return *month_;
}

void LogIndexWriter::add(Record record, const LeafOctets& leaf) {
  if (on_record_) on_record_(complete_to(), leaf, &record);
  MonthWriter& month = month_for(record.time);
  month.add(month.state().complete_to, std::move(record), leaf);
}

void LogIndexWriter::skip(Instant time, const LeafOctets& leaf) {
  if (on_record_) on_record_(complete_to(), leaf, nullptr);
  MonthWriter& month = month_for(time);
  month.skip(month.state().complete_to, time, leaf);
}

void LogIndexWriter::commit() {
  if (month_) month_->commit();
}

}  // namespace chancery::archive
