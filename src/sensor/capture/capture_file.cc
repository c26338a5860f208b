#include "sensor/capture/capture_file.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <utility>

#include "sensor/capture/byte_source.h"

namespace chancery::sensor {
namespace {

constexpr std::size_t kBufferSize = 1024 * 1024;
// At once: what was read is still in the processor's cache when it is looked at. Larger records take several reads.
constexpr std::size_t kReadSize = 128 * 1024;
constexpr std::size_t kBlockMax = kFrameMax + 65'536;  // a pcapng block with its options
static_assert(kBlockMax < kBufferSize);

constexpr std::uint32_t kMagicMicro = 0xa1b2c3d4, kMagicNano = 0xa1b23c4d;
constexpr std::size_t kFileHeader = 24, kRecordHeader = 16;

constexpr std::uint32_t kSection = 0x0a0d0d0a, kByteOrder = 0x1a2b3c4d;
constexpr std::uint32_t kInterface = 1, kObsoletePacket = 2, kSimple = 3, kEnhanced = 6;
constexpr std::size_t kBlockMin = 12;  // type, length, length again
constexpr std::uint16_t kEndOfOptions = 0, kTimeResolution = 9, kTimeOffset = 14;

constexpr std::uint64_t kNanoseconds = 1'000'000'000;
// A year short of what an Instant holds: adding a time limit to the time of any frame stays within it.
constexpr std::uint64_t kSecondsMax =
    static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / kNanoseconds - 366 * 86'400;

template <class Number>
Number load(Bytes at) {
  Number value;
  std::memcpy(&value, at.data(), sizeof value);
  return value;
}

// The nearest that an Instant can hold: a damaged time must not end the reading.
Instant make_instant(std::uint64_t seconds, std::uint64_t nanoseconds) {
  return from_unix_ns(
      static_cast<std::int64_t>(std::min(seconds, kSecondsMax) * kNanoseconds + nanoseconds % kNanoseconds));
}

std::size_t padded(std::size_t size) { return (size + 3) & ~std::size_t{3}; }

}  // namespace

CaptureFile::CaptureFile(std::unique_ptr<ByteSource> source, std::uint64_t size)
    : source_(std::move(source)), size_(size), buffer_(new char[kBufferSize]) {}
CaptureFile::~CaptureFile() = default;
CaptureFile::CaptureFile(CaptureFile&&) noexcept = default;
CaptureFile& CaptureFile::operator=(CaptureFile&&) noexcept = default;

std::expected<CaptureFile, std::string> CaptureFile::open(const std::string& path) {
  auto opened = open_source(path);
  if (!opened) return std::unexpected(opened.error());
  return read(path, std::move(opened->source), opened->size);
}

std::expected<CaptureFile, std::string> CaptureFile::read(const std::string& name, std::unique_ptr<ByteSource> source,
                                                          std::uint64_t size) {
  CaptureFile file{std::move(source), size};
  if (file.read_header()) return file;
  const std::string why = file.fault_.empty() ? "" : ": " + file.fault_;
  return std::unexpected(fmt::format("{} is not a capture file (pcap or pcapng, plain or gzipped){}", name, why));
}

bool CaptureFile::read_header() {
  if (!fill(4)) return false;
  if (u32(available()) == kSection) {
    format_ = Format::pcapng;
    return true;
  }
  if (!fill(kFileHeader)) return false;
  std::uint32_t magic = u32(available());
  swapped_ = magic == std::byteswap(kMagicMicro) || magic == std::byteswap(kMagicNano);
  magic = u32(available());
  if (magic != kMagicMicro && magic != kMagicNano) return false;
  nanoseconds_ = magic == kMagicNano;
  constexpr std::uint32_t kLinkTypeBits = 0x03ffffff;  // above: length of a frame check sequence
  link_type_ = u32(available().substr(20)) & kLinkTypeBits;
  begin_ += kFileHeader;
  return true;
}

bool CaptureFile::next(Frame& frame) {
  if (!fault_.empty()) return false;
  begin_ += std::exchange(consume_next_, 0);
  return format_ == Format::pcap ? next_pcap(frame) : next_block(frame);
}

bool CaptureFile::next_pcap(Frame& frame) {
  if (!fill(kRecordHeader)) return ended(kRecordHeader);
  const Bytes header = available();
  const std::uint32_t captured = u32(header.substr(8));
  const std::uint32_t length = u32(header.substr(12));
  if (captured > kFrameMax) return stop(fmt::format("a record claims {} octets; its records end here", captured));
  if (!fill(kRecordHeader + captured)) return ended(kRecordHeader + captured);
  const Bytes record = available();  // the buffer may have moved
  const std::uint64_t fraction = u32(record.substr(4));
  frame.time = make_instant(u32(record), nanoseconds_ ? fraction : fraction * 1'000);
  frame.octets = record.substr(kRecordHeader, captured);
  frame.wire_length = std::max(length, captured);
  frame.link_type = link_type_;
  consume_next_ = kRecordHeader + captured;
  return true;
}

bool CaptureFile::next_block(Frame& frame) {
  for (;; begin_ += std::exchange(consume_next_, 0)) {
    if (!fill(kBlockMin)) return ended(kBlockMin);
    const std::uint32_t type = u32(available());
    if (type == kSection && !read_section(available())) return false;
    const std::size_t length = u32(available().substr(4));
    if (length < kBlockMin || length % 4 != 0 || length > kBlockMax)
      return stop(fmt::format("a block claims {} octets; its blocks end here", length));
    if (!fill(length)) return ended(length);
    const Bytes block = available().substr(0, length);
    const Bytes body = block.substr(8, length - kBlockMin);
    consume_next_ = length;
    if (type == kInterface)
      read_interface(body);
    else if (type == kEnhanced || type == kObsoletePacket ? read_enhanced(body, type == kObsoletePacket, frame)
                                                          : type == kSimple && read_simple(body, frame))
      return true;
    else if (type == kEnhanced || type == kObsoletePacket || type == kSimple)
      ++skipped_;
  }
}

// A section may be of either byte order, and begins with no interfaces (pcapng §4.1).
bool CaptureFile::read_section(Bytes block) {
  const std::uint32_t order = load<std::uint32_t>(block.substr(8));
  if (order != kByteOrder && order != std::byteswap(kByteOrder)) return stop("a section begins with no byte order");
  swapped_ = order != kByteOrder;
  interfaces_.clear();
  return true;
}

void CaptureFile::read_interface(Bytes body) {
  if (body.size() < 8 || interfaces_.size() >= kInterfacesMax) {
    ++skipped_;
    return;
  }
  Interface made;
  made.link_type = u16(body);
  made.snap_length = u32(body.substr(4));
  for (Bytes options = body.substr(8); options.size() >= 4;) {
    const std::uint16_t code = u16(options), size = u16(options.substr(2));
    if (code == kEndOfOptions || size > options.size() - 4) break;
    const Bytes value = options.substr(4, size);
    if (code == kTimeResolution && size >= 1) {
      const auto exponent = static_cast<unsigned char>(value[0]);
      const unsigned power = exponent & 0x7fU;
      std::uint64_t ticks = 1;
      if ((exponent & 0x80U) != 0)
        ticks = power < 64 ? 1ULL << power : 1;
      else if (power <= 19)
        for (unsigned i = 0; i < power; ++i) ticks *= 10;
      made.ticks_per_second = ticks;
    } else if (code == kTimeOffset && size >= 8) {
      made.offset_seconds = static_cast<std::int64_t>(u64(value));
    }
    options.remove_prefix(std::min(options.size(), 4 + padded(size)));
  }
  interfaces_.push_back(made);
}

bool CaptureFile::read_enhanced(Bytes body, bool obsolete, Frame& frame) {
  if (body.size() < 20) return false;
  const std::uint32_t number = obsolete ? u16(body) : u32(body);
  const std::uint32_t captured = u32(body.substr(12));
  if (number >= interfaces_.size() || captured > body.size() - 20 || captured > kFrameMax) return false;
  const Interface& from = interfaces_[number];
  const std::uint64_t ticks = std::uint64_t{u32(body.substr(4))} << 32U | u32(body.substr(8));
  const std::uint64_t rest = ticks % from.ticks_per_second;
  const auto nanoseconds = static_cast<std::uint64_t>(static_cast<double>(rest) * static_cast<double>(kNanoseconds) /
                                                      static_cast<double>(from.ticks_per_second));
  const bool exact = kNanoseconds % from.ticks_per_second == 0;
  std::uint64_t seconds = ticks / from.ticks_per_second;
  const auto shifted = static_cast<std::int64_t>(std::min(seconds, kSecondsMax)) +
                       std::clamp(from.offset_seconds, -static_cast<std::int64_t>(kSecondsMax / 2),
                                  static_cast<std::int64_t>(kSecondsMax / 2));
  seconds = shifted < 0 ? 0 : static_cast<std::uint64_t>(shifted);
  frame.time = make_instant(seconds, exact ? rest * (kNanoseconds / from.ticks_per_second) : nanoseconds);
  frame.octets = body.substr(20, captured);
  frame.wire_length = std::max(u32(body.substr(16)), captured);
  frame.link_type = from.link_type;
  return true;
}

// It says neither when nor on which interface: the first, and time as the frame before (pcapng §4.4).
bool CaptureFile::read_simple(Bytes body, Frame& frame) {
  if (body.size() < 4 || interfaces_.empty()) return false;
  const std::uint32_t length = u32(body);
  std::size_t captured = std::min<std::size_t>(length, body.size() - 4);
  if (interfaces_[0].snap_length != 0) captured = std::min<std::size_t>(captured, interfaces_[0].snap_length);
  if (captured > kFrameMax) return false;
  frame.octets = body.substr(4, captured);
  frame.wire_length = length;
  frame.link_type = interfaces_[0].link_type;
  return true;
}

bool CaptureFile::fill(std::size_t size) {
  while (end_ - begin_ < size) {
    if (begin_ > 0) {
      std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    const auto got = source_->read(buffer_.get() + end_, std::min(kReadSize, kBufferSize - end_));
    if (!got) return stop(got.error());
    if (*got == 0) return false;
    end_ += *got;
  }
  return true;
}

bool CaptureFile::ended(std::size_t /*wanted*/) {
  if (fault_.empty() && begin_ != end_) fault_ = "it is cut short in the middle of a record";
  return false;
}

bool CaptureFile::stop(std::string why) {
  fault_ = std::move(why);
  return false;
}

std::uint64_t CaptureFile::consumed() const { return source_->consumed(); }

std::uint16_t CaptureFile::u16(Bytes at) const {
  const auto value = load<std::uint16_t>(at);
  return swapped_ ? std::byteswap(value) : value;
}
std::uint32_t CaptureFile::u32(Bytes at) const {
  const auto value = load<std::uint32_t>(at);
  return swapped_ ? std::byteswap(value) : value;
}
std::uint64_t CaptureFile::u64(Bytes at) const {
  const auto value = load<std::uint64_t>(at);
  return swapped_ ? std::byteswap(value) : value;
}

}  // namespace chancery::sensor
