#include "app/output_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <utility>

#include "app/context.h"

namespace chancery::app {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file) {
  throw Failure(fmt::format("{} cannot be written: {}", file.string(), std::strerror(errno)));
}

void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;  // a folder that may be written but not read: the file itself is safe
  ::fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

OutputFile::OutputFile(std::filesystem::path path) : path_(std::move(path)), part_(path_) {
  part_ += ".part";
  const int descriptor = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  file_ = descriptor < 0 ? nullptr : ::fdopen(descriptor, "w");
  if (file_ == nullptr) fail(part_);
}

OutputFile::~OutputFile() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  ::unlink(part_.c_str());
}

bool OutputFile::write(std::string_view text) { return std::fwrite(text.data(), 1, text.size(), file_) == text.size(); }

void OutputFile::finish() {
  if (std::fflush(file_) != 0 || ::fsync(::fileno(file_)) != 0) fail(part_);
  if (std::fclose(std::exchange(file_, nullptr)) != 0) fail(part_);
  if (::rename(part_.c_str(), path_.c_str()) != 0) fail(path_);
  sync_folder(path_.parent_path());
}

}  // namespace chancery::app
