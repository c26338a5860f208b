#pragma once
// The file layer: the few operations that journal, key store and state need, so that tests can put a disk under them
// that fails, fills up or loses power (memory_disk.h). Paths are '/'-separated; errors are the system's own.
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "core/bytes.h"

namespace chancery::journal {

// One open file. Used by one thread at a time; `read_at` may run beside `write_at` of another File of the same path.
class File {
 public:
  virtual ~File() = default;
  // Reads until `out` is full or the file ends; returns how much.
  virtual std::expected<std::size_t, std::error_code> read_at(std::uint64_t offset, std::span<char> out) = 0;
  // Writes all parts one after another, or returns an error; then any prefix may have been written.
  virtual std::error_code write_at(std::uint64_t offset, std::span<const Bytes> parts) = 0;
  std::error_code write_at(std::uint64_t offset, Bytes octets);
  virtual std::error_code sync() = 0;  // fdatasync: contents and size are on stable storage
  virtual std::error_code truncate(std::uint64_t size) = 0;
  virtual std::expected<std::uint64_t, std::error_code> size() = 0;
};

// Held until destroyed, or until the process ends.
class Lock {
 public:
  virtual ~Lock() = default;
};

class Disk {
 public:
  enum class Mode : std::uint8_t {
    read,    // must exist
    update,  // must exist; read and write
    create,  // made, or emptied if it exists; read and write, permissions 0600 less the umask
  };

  virtual ~Disk() = default;
  virtual std::expected<std::unique_ptr<File>, std::error_code> open(const std::string& path, Mode mode) = 0;
  virtual std::error_code rename(const std::string& from, const std::string& to) = 0;  // replaces `to`
  virtual std::error_code remove(const std::string& path) = 0;
  virtual std::error_code make_directory(const std::string& path) = 0;  // 0700; no error if it exists
  virtual std::error_code sync_directory(const std::string& path) = 0;
  // Names (not paths) in a directory, sorted.
  virtual std::expected<std::vector<std::string>, std::error_code> list(const std::string& path) = 0;
  virtual std::expected<bool, std::error_code> exists(const std::string& path) = 0;
  // Whether only the owner has any rights to it.
  virtual std::expected<bool, std::error_code> is_private(const std::string& path) = 0;
  // An exclusive lock on an existing directory; std::errc::resource_unavailable_try_again when another holds it.
  virtual std::expected<std::unique_ptr<Lock>, std::error_code> lock(const std::string& directory) = 0;
};

// The real one. Stateless.
Disk& posix_disk();

// The whole file; std::errc::file_too_large over `size_max`.
std::expected<Buffer, std::error_code> read_file(Disk& disk, const std::string& path, std::uint64_t size_max);

// Makes or replaces a file so that after a crash either the old or the new one is there, whole: written under
// "<name>.new", synced, renamed, directory synced.
std::error_code write_file_durably(Disk& disk, const std::string& path, Bytes octets);

// Makes `base`/`below`, all its levels, and syncs the entries of `base` and of each level of `below`, whether they were
// there or not: an earlier process may have made them and died before syncing.
std::error_code make_directories(Disk& disk, const std::string& base, const std::string& below);

}  // namespace chancery::journal
