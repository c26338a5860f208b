#include "archive/verify/source.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace chancery::verify {

std::expected<std::vector<FileEntry>, std::error_code> FolderSource::list() {
  std::vector<FileEntry> entries;
  std::error_code error;
  std::filesystem::recursive_directory_iterator it{root_, error}, end;
  for (; !error && it != end; it.increment(error)) {
    const auto status = it->symlink_status(error);
    if (error) break;
    if (status.type() == std::filesystem::file_type::directory) continue;
    FileEntry entry{it->path().lexically_relative(root_).generic_string()};
    entry.is_regular = status.type() == std::filesystem::file_type::regular;
    if (entry.is_regular) entry.size = it->file_size(error);
    // A file that went away meanwhile (a partial tile, a temporary name) is not there.
    if (error == std::errc::no_such_file_or_directory) {
      error.clear();
      continue;
    }
    entries.push_back(std::move(entry));
  }
  if (error) return std::unexpected(error);
  std::ranges::sort(entries, {}, &FileEntry::path);
  return entries;
}

std::expected<Buffer, std::error_code> FolderSource::read(const std::string& path) {
  const int fd = ::open((root_ / path).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return std::unexpected(std::error_code{errno, std::system_category()});
  Buffer octets;
  std::error_code error;
  for (std::size_t done = 0;;) {
    octets.resize(std::max<std::size_t>(done + done / 2, 1U << 16));
    const ssize_t got = ::read(fd, octets.data() + done, octets.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) error = {errno, std::system_category()};
    if (got <= 0) {
      octets.resize(done);
      break;
    }
    done += static_cast<std::size_t>(got);
  }
  ::close(fd);
  if (error) return std::unexpected(error);
  return octets;
}

std::expected<std::vector<FileEntry>, std::error_code> MemorySource::list() {
  std::vector<FileEntry> entries;
  for (const auto& [path, octets] : files_) entries.push_back({path, octets.size()});
  return entries;
}

std::expected<Buffer, std::error_code> MemorySource::read(const std::string& path) {
  const auto found = files_.find(path);
  if (found == files_.end()) return std::unexpected(std::make_error_code(std::errc::no_such_file_or_directory));
  return found->second;
}

}  // namespace chancery::verify
