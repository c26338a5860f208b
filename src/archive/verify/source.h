#pragma once
// Where `verify` reads an archive from: a folder, or memory in tests. Read only, whole files.
#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <vector>

#include "core/bytes.h"

namespace chancery::verify {

struct FileEntry {
  std::string path;  // relative to the archive, '/'-separated
  std::uint64_t size = 0;
  bool is_regular = true;  // false: a link, device, socket; never followed or read
};

class ArchiveSource {
 public:
  virtual ~ArchiveSource() = default;
  // Every file, sorted by path; folders themselves are not listed.
  virtual std::expected<std::vector<FileEntry>, std::error_code> list() = 0;
  virtual std::expected<Buffer, std::error_code> read(const std::string& path) = 0;
};

class FolderSource : public ArchiveSource {
 public:
  explicit FolderSource(std::filesystem::path root) : root_(std::move(root)) {}
  std::expected<std::vector<FileEntry>, std::error_code> list() override;
  std::expected<Buffer, std::error_code> read(const std::string& path) override;

 private:
  std::filesystem::path root_;
};

class MemorySource : public ArchiveSource {
 public:
  explicit MemorySource(std::map<std::string, Buffer> files) : files_(std::move(files)) {}
  std::map<std::string, Buffer>& files() { return files_; }
  std::expected<std::vector<FileEntry>, std::error_code> list() override;
  std::expected<Buffer, std::error_code> read(const std::string& path) override;

 private:
  std::map<std::string, Buffer> files_;
};

}  // namespace chancery::verify
