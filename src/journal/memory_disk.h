#pragma once
// A disk in memory for tests: it fails on demand, fills up, and loses power. What a power loss may leave is as bad as a
// real disk's: of every file any subset of the 512-octet sectors written since its last sync, either size, and any
// subset of the names made, moved or removed since the directory's last sync. After a failed sync the octets still read
// back, but a later sync does not write them (as Linux does it).
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "journal/file.h"

namespace chancery::journal {

class MemoryDisk final : public Disk {
 public:
  static constexpr std::size_t kSectorSize = 512;
  enum class Op : std::uint8_t { open, write, sync, rename, sync_directory, truncate, remove, make_directory };
  static constexpr std::size_t kOps = 8;

  // The n-th operation (from 1, counted from now) of this kind fails, and if `always` all after it too.
  void fail(Op op, std::uint64_t nth, std::errc error, bool always = false);
  // After n more operations that change something, everything fails: the power is gone.
  void cut_power_after(std::uint64_t operations);
  // Writes that would need more octets in all than this fail in the middle with ENOSPC.
  void set_capacity(std::uint64_t octets);
  std::uint64_t count(Op op) const;  // since the beginning
  std::uint64_t changes() const;     // operations of all kinds but open-for-reading

  // The disk as it may be found when the power is back. `coin` decides, once for each sector, size and name.
  std::unique_ptr<MemoryDisk> after_power_loss(const std::function<bool()>& coin) const;
  // As after a kill -9: everything written is there; nothing is locked.
  std::unique_ptr<MemoryDisk> after_kill() const;

  Buffer contents(const std::string& path) const;            // empty if it is not there
  void set_contents(const std::string& path, Bytes octets);  // durable at once
  void erase(const std::string& path);                       // the file, or the folder and all in it
  std::vector<std::string> files(const std::string& below) const;

  std::expected<std::unique_ptr<File>, std::error_code> open(const std::string& path, Mode mode) override;
  std::error_code rename(const std::string& from, const std::string& to) override;
  std::error_code remove(const std::string& path) override;
  std::error_code make_directory(const std::string& path) override;
  std::error_code sync_directory(const std::string& path) override;
  std::expected<std::vector<std::string>, std::error_code> list(const std::string& path) override;
  std::expected<bool, std::error_code> exists(const std::string& path) override;
  std::expected<bool, std::error_code> is_private(const std::string& path) override;
  std::expected<std::unique_ptr<Lock>, std::error_code> lock(const std::string& directory) override;

 private:
  friend class MemoryFile;
  struct Inode {
    Buffer now;
    Buffer durable;
    std::set<std::size_t> dirty;  // sectors
  };
  using InodePtr = std::shared_ptr<Inode>;
  struct Names {
    std::map<std::string, InodePtr> files;
    std::set<std::string> folders{"/"};
  };
  struct Change {
    enum class Kind : std::uint8_t { create, rename, remove, make_directory } kind;
    std::string path, to;
    InodePtr inode;
    void apply(Names& names) const;
  };

  std::error_code step(Op op);  // counts, and says whether this one fails
  std::error_code write(Inode& inode, std::uint64_t offset, std::span<const Bytes> parts);
  std::error_code sync(Inode& inode);
  std::error_code truncate(Inode& inode, std::uint64_t size);
  static void put(Inode& inode, std::uint64_t offset, Bytes octets);
  std::uint64_t used() const;
  void change(Change change);

  mutable std::mutex mutex_;
  Names now_, durable_;
  std::map<std::string, std::vector<Change>> unsynced_;  // by folder
  std::shared_ptr<std::set<std::string>> locked_ = std::make_shared<std::set<std::string>>();
  struct Fault {
    std::uint64_t at = 0;
    std::errc error{};
    bool always = false;
  };
  std::array<Fault, kOps> faults_{};
  std::array<std::uint64_t, kOps> counts_{};
  std::uint64_t changes_ = 0;
  std::uint64_t power_until_ = UINT64_MAX;
  std::uint64_t capacity_ = UINT64_MAX;
};

}  // namespace chancery::journal
