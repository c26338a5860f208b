#include "sensor/capture/byte_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <zlib.h>

#include "sensor/capture/capture_file.h"

namespace chancery::sensor {
namespace {

constexpr std::size_t kInputSize = 128 * 1024;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ > STDIN_FILENO) ::close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

std::string reason(int error) { return std::generic_category().message(error); }

std::expected<std::size_t, std::string> read_some(int descriptor, char* out, std::size_t size) {
  for (;;) {
    const ssize_t got = ::read(descriptor, out, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return std::unexpected(reason(errno));
  }
}

class PlainSource final : public ByteSource {
 public:
  PlainSource(Descriptor file, std::string start) : file_(std::move(file)), start_(std::move(start)) {}

  std::expected<std::size_t, std::string> read(char* out, std::size_t size) override {
    if (given_ < start_.size()) {
      const std::size_t count = std::min(size, start_.size() - given_);
      std::memcpy(out, start_.data() + given_, count);
      given_ += count;
      consumed_ += count;
      return count;
    }
    const auto got = read_some(file_.get(), out, size);
    if (got) consumed_ += *got;
    return got;
  }
  std::uint64_t consumed() const override { return consumed_; }

 private:
  Descriptor file_;
  std::string start_;  // what was read to tell the format
  std::size_t given_ = 0;
  std::uint64_t consumed_ = 0;
};

class GzipSource final : public ByteSource {
 public:
  GzipSource(Descriptor file, const std::string& start) : file_(std::move(file)) {
    std::memcpy(input_.data(), start.data(), start.size());
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream_.avail_in = static_cast<uInt>(start.size());
    consumed_ = start.size();
    constexpr int kGzipOnly = 16;
    ready_ = inflateInit2(&stream_, MAX_WBITS + kGzipOnly) == Z_OK;
  }
  ~GzipSource() override {
    if (ready_) inflateEnd(&stream_);
  }
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;

  std::expected<std::size_t, std::string> read(char* out, std::size_t size) override {
    if (!ready_) return std::unexpected(std::string{"there is no memory to decompress it"});
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(size);
    while (stream_.avail_out == size) {
      if (stream_.avail_in == 0) {
        const auto more = refill();
        if (!more) return std::unexpected(more.error());
        if (*more == 0) return at_member_end_ ? std::expected<std::size_t, std::string>{0U} : cut_short();
      }
      if (at_member_end_ && inflateReset(&stream_) != Z_OK) return std::unexpected(damaged());
      const int status = inflate(&stream_, Z_NO_FLUSH);
      // RFC 1952 §2.2: members may follow one another.
      at_member_end_ = status == Z_STREAM_END;
      if (status != Z_OK && status != Z_STREAM_END) return std::unexpected(damaged());
    }
    const std::size_t got = size - stream_.avail_out;
    produced_ += got;
    if (produced_ > kGzipFreeBytes && produced_ / kGzipRatioMax > consumed_ - stream_.avail_in)
      return std::unexpected(fmt::format("it expands more than {} times, as no capture does", kGzipRatioMax));
    return got;
  }
  std::uint64_t consumed() const override { return consumed_ - stream_.avail_in; }

 private:
  std::expected<std::size_t, std::string> refill() {
    const auto got = read_some(file_.get(), input_.data(), input_.size());
    if (!got) return got;
    consumed_ += *got;
    stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
    stream_.avail_in = static_cast<uInt>(*got);
    return got;
  }
  static std::unexpected<std::string> cut_short() { return std::unexpected(std::string{"its gzip data is cut short"}); }
  static std::string damaged() { return "its gzip data is damaged"; }

  Descriptor file_;
  z_stream stream_{};
  bool ready_ = false;
  bool at_member_end_ = false;
  std::uint64_t consumed_ = 0, produced_ = 0;
  std::array<char, kInputSize> input_;
};

}  // namespace

std::expected<OpenedSource, std::string> open_source(const std::string& path) {
  Descriptor file{path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0) return std::unexpected(fmt::format("{} cannot be opened: {}", path, reason(errno)));
  OpenedSource opened;
  struct stat status{};
  if (::fstat(file.get(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return std::unexpected(fmt::format("{} is a folder, not a capture file", path));
    if (S_ISREG(status.st_mode)) opened.size = static_cast<std::uint64_t>(status.st_size);
  }
  std::array<char, 2> start{};
  std::size_t have = 0;
  while (have < start.size()) {
    const auto got = read_some(file.get(), start.data() + have, start.size() - have);
    if (!got) return std::unexpected(fmt::format("{} cannot be read: {}", path, got.error()));
    if (*got == 0) break;
    have += *got;
  }
  const std::string begun{start.data(), have};
  if (begun == "\x1f\x8b")
    opened.source = std::make_unique<GzipSource>(std::move(file), begun);
  else
    opened.source = std::make_unique<PlainSource>(std::move(file), begun);
  return opened;
}

}  // namespace chancery::sensor
