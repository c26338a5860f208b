#pragma once
// A file that appears under its name only when it is whole.
#include <cstdio>
#include <filesystem>
#include <string_view>

namespace chancery::app {

class OutputFile {
 public:
  // Writes to "<path>.part". Throws Failure.
  explicit OutputFile(std::filesystem::path path);
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();  // without `finish`: removes the part

  bool write(std::string_view text);
  void finish();  // syncs, renames, syncs the folder; throws Failure

 private:
  std::filesystem::path path_, part_;
  std::FILE* file_;
};

}  // namespace chancery::app
