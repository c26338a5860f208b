#include "journal/file.h"

#include <algorithm>

namespace chancery::journal {
namespace {

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

std::error_code File::write_at(std::uint64_t offset, Bytes octets) {
  return write_at(offset, std::span<const Bytes>(&octets, 1));
}

std::expected<Buffer, std::error_code> read_file(Disk& disk, const std::string& path, std::uint64_t size_max) {
  auto file = disk.open(path, Disk::Mode::read);
  if (!file) return std::unexpected(file.error());
  const auto size = (*file)->size();
  if (!size) return std::unexpected(size.error());
  if (*size > size_max) return std::unexpected(std::make_error_code(std::errc::file_too_large));
  Buffer octets(*size, '\0');
  const auto got = (*file)->read_at(0, octets);
  if (!got) return std::unexpected(got.error());
  octets.resize(*got);
  return octets;
}

std::error_code write_file_durably(Disk& disk, const std::string& path, Bytes octets) {
  const std::string unfinished = path + ".new";
  {
    auto file = disk.open(unfinished, Disk::Mode::create);
    if (!file) return file.error();
    if (const auto error = (*file)->write_at(0, octets)) return error;
    if (const auto error = (*file)->sync()) return error;
  }
  if (const auto error = disk.rename(unfinished, path)) return error;
  return disk.sync_directory(parent_of(path));
}

std::error_code make_directories(Disk& disk, const std::string& base, const std::string& below) {
  const auto there = disk.exists(base);
  if (!there) return there.error();
  const std::string parent = parent_of(base);
  if (!*there) {
    if (const auto error = make_directories(disk, parent, base.substr(parent == "/" ? 1 : parent.size() + 1)))
      return error;
  } else if (const auto error = disk.sync_directory(parent); error && error != std::errc::permission_denied) {
    return error;  // a parent that we may not read was made by somebody else, long ago
  }
  std::string path = base;
  for (std::size_t begin = 0; begin < below.size();) {
    const std::size_t end = std::min(below.find('/', begin), below.size());
    const std::string level = (path == "/" ? path : path + "/") + below.substr(begin, end - begin);
    if (const auto error = disk.make_directory(level)) return error;
    if (const auto error = disk.sync_directory(path)) return error;
    path = level;
    begin = end + 1;
  }
  return {};
}

}  // namespace chancery::journal
