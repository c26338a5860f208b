#pragma once
// Copies files durably while hashing them.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/bytes.h"

namespace chancery::archive {

struct CopiedFile {
  std::string path;  // relative to the target folder, '/'-separated
  std::uint64_t size = 0;
  std::string sha256;  // hex
};

// Throws std::system_error with the file's name.
class DurableCopier {
 public:
  DurableCopier(std::filesystem::path source, std::filesystem::path target,
                std::function<void(std::uint64_t)> progress);

  // The first `size` octets of a file. False: there is no such file, or it is shorter.
  bool copy(const std::string& from, const std::string& to, std::uint64_t size);
  bool copy_whole(const std::string& path);
  void write(const std::string& path, Bytes octets);
  // Syncs every folder that got a file. Files are synced as they are copied.
  void finish();

  const std::vector<CopiedFile>& files() const { return files_; }
  std::uint64_t octets() const { return octets_; }

 private:
  std::filesystem::path make_place(const std::string& path);

  std::filesystem::path source_, target_;
  std::function<void(std::uint64_t)> progress_;
  std::vector<CopiedFile> files_;
  std::set<std::filesystem::path> folders_;
  std::uint64_t octets_ = 0;
};

}  // namespace chancery::archive
