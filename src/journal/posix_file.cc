#include <algorithm>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "journal/file.h"

namespace chancery::journal {
namespace {

std::error_code last_error() { return {errno, std::system_category()}; }

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

class PosixLock final : public Lock {
 public:
  explicit PosixLock(int fd) : fd_(fd) {}

 private:
  Descriptor fd_;
};

class PosixFile final : public File {
 public:
  explicit PosixFile(int fd) : fd_(fd) {}

  std::expected<std::size_t, std::error_code> read_at(std::uint64_t offset, std::span<char> out) override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t n = ::pread(fd_.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return std::unexpected(last_error());
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  std::error_code write_at(std::uint64_t offset, std::span<const Bytes> parts) override {
    std::vector<iovec> vectors;
    vectors.reserve(parts.size());
    for (const Bytes part : parts) vectors.push_back({const_cast<char*>(part.data()), part.size()});
    std::span<iovec> left(vectors);
    while (!left.empty()) {
      const int count = static_cast<int>(std::min<std::size_t>(left.size(), IOV_MAX));
      const ssize_t n = ::pwritev(fd_.get(), left.data(), count, static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return last_error();
      offset += static_cast<std::uint64_t>(n);
      left = advance(left, static_cast<std::size_t>(n));
    }
    return {};
  }

  std::error_code sync() override { return ::fdatasync(fd_.get()) == 0 ? std::error_code{} : last_error(); }

  std::error_code truncate(std::uint64_t size) override {
    return ::ftruncate(fd_.get(), static_cast<off_t>(size)) == 0 ? std::error_code{} : last_error();
  }

  std::expected<std::uint64_t, std::error_code> size() override {
    struct stat status{};
    if (::fstat(fd_.get(), &status) != 0) return std::unexpected(last_error());
    return static_cast<std::uint64_t>(status.st_size);
  }

 private:
  static std::span<iovec> advance(std::span<iovec> left, std::size_t done) {
    while (!left.empty() && done >= left.front().iov_len) {
      done -= left.front().iov_len;
      left = left.subspan(1);
    }
    if (!left.empty()) {
      left.front().iov_base = static_cast<char*>(left.front().iov_base) + done;
      left.front().iov_len -= done;
    }
    return left;
  }

  Descriptor fd_;
};

class PosixDisk final : public Disk {
 public:
  std::expected<std::unique_ptr<File>, std::error_code> open(const std::string& path, Mode mode) override {
    int flags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;  // a FIFO in a hostile archive must not block its reader
    if (mode == Mode::read) flags |= O_RDONLY;
    if (mode == Mode::update) flags |= O_RDWR;
    if (mode == Mode::create) flags |= O_RDWR | O_CREAT | O_TRUNC;
    const int fd = ::open(path.c_str(), flags, 0600);
    if (fd < 0) return std::unexpected(last_error());
    auto file = std::make_unique<PosixFile>(fd);
    struct stat status{};
    if (::fstat(fd, &status) != 0) return std::unexpected(last_error());
    if (!S_ISREG(status.st_mode)) return std::unexpected(std::make_error_code(std::errc::not_supported));
    return file;
  }

  std::error_code rename(const std::string& from, const std::string& to) override {
    return ::rename(from.c_str(), to.c_str()) == 0 ? std::error_code{} : last_error();
  }

  std::error_code remove(const std::string& path) override {
    return ::unlink(path.c_str()) == 0 ? std::error_code{} : last_error();
  }

  std::error_code make_directory(const std::string& path) override {
    return ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST ? std::error_code{} : last_error();
  }

  std::error_code sync_directory(const std::string& path) override {
    const Descriptor fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return fd.get() >= 0 && ::fsync(fd.get()) == 0 ? std::error_code{} : last_error();
  }

  std::expected<std::vector<std::string>, std::error_code> list(const std::string& path) override {
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator it(path, error), end; !error && it != end; it.increment(error))
      names.push_back(it->path().filename().string());
    if (error) return std::unexpected(error);
    std::ranges::sort(names);
    return names;
  }

  std::expected<bool, std::error_code> exists(const std::string& path) override {
    struct stat status{};
    if (::lstat(path.c_str(), &status) == 0) return true;
    if (errno == ENOENT) return false;
    return std::unexpected(last_error());
  }

  std::expected<bool, std::error_code> is_private(const std::string& path) override {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return std::unexpected(last_error());
    return (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
  }

  std::expected<std::unique_ptr<Lock>, std::error_code> lock(const std::string& directory) override {
    const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return std::unexpected(last_error());
    auto lock = std::make_unique<PosixLock>(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) return std::unexpected(last_error());
    return lock;
  }
};

}  // namespace

Disk& posix_disk() {
  static PosixDisk disk;
  return disk;
}

}  // namespace chancery::journal
