#include "archive/copy.h"

#include <algorithm>
#include <fcntl.h>
#include <memory>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "core/encoding.h"

namespace chancery::archive {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChunkSize = 1U << 20;

[[noreturn]] void fail(const fs::path& file) { throw std::system_error(errno, std::generic_category(), file.string()); }

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

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(Bytes octets) { EVP_DigestUpdate(context_.get(), octets.data(), octets.size()); }
  std::string hex() {
    char digest[32];
    EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest), nullptr);
    return to_hex({digest, sizeof digest});
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

void write_all(int fd, Bytes octets, const fs::path& file) {
  while (!octets.empty()) {
    const ssize_t written = ::write(fd, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(file);
    octets.remove_prefix(static_cast<std::size_t>(written));
  }
}

void sync_folder(const fs::path& folder) {
  const Descriptor descriptor{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (descriptor.get() < 0 || ::fsync(descriptor.get()) != 0) fail(folder);
}

}  // namespace

DurableCopier::DurableCopier(fs::path source, fs::path target, std::function<void(std::uint64_t)> progress)
    : source_(std::move(source)), target_(std::move(target)), progress_(std::move(progress)) {}

fs::path DurableCopier::make_place(const std::string& path) {
  fs::path file = target_ / path;
  fs::create_directories(file.parent_path());
  for (fs::path folder = file.parent_path(); folders_.insert(folder).second && folder != target_;)
    folder = folder.parent_path();
  return file;
}

bool DurableCopier::copy(const std::string& from, const std::string& to, std::uint64_t size) {
  const Descriptor in{::open((source_ / from).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (in.get() < 0) {
    if (errno == ENOENT) return false;
    fail(source_ / from);
  }
  struct stat about{};
  if (::fstat(in.get(), &about) != 0) fail(source_ / from);
  if (static_cast<std::uint64_t>(about.st_size) < size) return false;
  const fs::path file = make_place(to);
  const Descriptor out{::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (out.get() < 0) fail(file);
  Sha256 hash;
  Buffer chunk(kChunkSize, '\0');
  for (std::uint64_t left = size; left > 0;) {
    const ssize_t got = ::read(in.get(), chunk.data(), std::min<std::uint64_t>(left, chunk.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail(source_ / from);
    const Bytes octets = Bytes{chunk}.substr(0, static_cast<std::size_t>(got));
    hash.add(octets);
    write_all(out.get(), octets, file);
    left -= octets.size();
    octets_ += octets.size();
    progress_(octets_);
  }
  if (::fsync(out.get()) != 0) fail(file);
  files_.push_back({to, size, hash.hex()});
  return true;
}

bool DurableCopier::copy_whole(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(source_ / path, error);
  return !error && copy(path, path, size);
}

void DurableCopier::write(const std::string& path, Bytes octets) {
  const fs::path file = make_place(path);
  const Descriptor out{::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (out.get() < 0) fail(file);
  write_all(out.get(), octets, file);
  if (::fsync(out.get()) != 0) fail(file);
  Sha256 hash;
  hash.add(octets);
  files_.push_back({path, octets.size(), hash.hex()});
  octets_ += octets.size();
}

void DurableCopier::finish() {
  for (const auto& folder : folders_) sync_folder(folder);
  if (const auto above = target_.parent_path(); !above.empty()) sync_folder(above);
}

}  // namespace chancery::archive
