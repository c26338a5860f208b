#include "journal/format.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

#include "core/crc32c.h"

namespace chancery::journal {
namespace {

constexpr Bytes kSegmentMagic = "CHSEGMT\n";
constexpr Bytes kGroupMagic = "\x9cGRP";
constexpr Bytes kChainLabel = "chancery/1/chain";

// Segment header.
constexpr std::size_t kVersionAt = 8, kSuiteAt = 10, kNumberAt = 12, kFirstAt = 16, kPreviousAt = 24, kChainAt = 32,
                      kKeyAt = 64, kOriginSizeAt = 80, kOriginAt = 82, kHeaderCrcAt = 252;
// Group header.
constexpr std::size_t kGroupCrcAt = 4, kGroupFramesAt = 8, kGroupSizeAt = 12, kGroupFirstAt = 16, kGroupDurableAt = 24,
                      kGroupFramesCrcAt = 32, kGroupChainAt = 36;
// Frame.
constexpr std::size_t kFrameLengthAt = 4, kFrameIndexAt = 8;

std::uint32_t masked_crc(Bytes octets) { return mask_crc(crc32c(octets)); }

template <std::size_t N>
void put_octets(char* out, const std::array<std::uint8_t, N>& octets) {
  std::memcpy(out, octets.data(), N);
}
template <std::size_t N>
void get_octets(const char* in, std::array<std::uint8_t, N>& octets) {
  std::memcpy(octets.data(), in, N);
}

std::uint32_t get32(const char* in) { return static_cast<std::uint32_t>(get_be(in, 4)); }

bool is_record(Bytes leaf) { return leaf[1] == static_cast<char>(LeafType::record); }

}  // namespace

void put_be(char* out, std::uint64_t value, std::size_t size) {
  for (std::size_t i = size; i-- > 0; value >>= 8) out[i] = static_cast<char>(value & 0xff);
}

std::uint64_t get_be(const char* in, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<std::uint8_t>(in[i]);
  return value;
}

std::array<char, kSegmentHeaderSize> encode(const SegmentHeader& header) {
  std::array<char, kSegmentHeaderSize> out{};
  char* p = out.data();
  std::memcpy(p, kSegmentMagic.data(), kSegmentMagic.size());
  put_be(p + kVersionAt, kVersion, 2);
  put_be(p + kSuiteAt, kSuite, 2);
  put_be(p + kNumberAt, header.number, 4);
  put_be(p + kFirstAt, header.first_index, 8);
  put_be(p + kPreviousAt, header.previous_size, 8);
  put_octets(p + kChainAt, header.chain);
  put_octets(p + kKeyAt, header.key);
  const std::size_t size = std::min(header.origin.size(), kOriginSizeMax);
  put_be(p + kOriginSizeAt, size, 2);
  std::memcpy(p + kOriginAt, header.origin.data(), size);
  put_be(p + kHeaderCrcAt, masked_crc({p, kHeaderCrcAt}), 4);
  return out;
}

std::expected<SegmentHeader, std::error_code> decode_segment_header(Bytes octets) {
  const char* p = octets.data();
  if (octets.size() < kSegmentHeaderSize || !octets.starts_with(kSegmentMagic))
    return std::unexpected(make_error_code(JournalError::foreign));
  if (get32(p + kHeaderCrcAt) != masked_crc({p, kHeaderCrcAt}))
    return std::unexpected(make_error_code(JournalError::corrupt));
  if (get_be(p + kVersionAt, 2) != kVersion || get_be(p + kSuiteAt, 2) != kSuite)
    return std::unexpected(make_error_code(JournalError::foreign));
  SegmentHeader header;
  header.number = get32(p + kNumberAt);
  header.first_index = get_be(p + kFirstAt, 8);
  header.previous_size = get_be(p + kPreviousAt, 8);
  get_octets(p + kChainAt, header.chain);
  get_octets(p + kKeyAt, header.key);
  const auto size = static_cast<std::size_t>(get_be(p + kOriginSizeAt, 2));
  if (size == 0 || size > kOriginSizeMax) return std::unexpected(make_error_code(JournalError::corrupt));
  header.origin = octets.substr(kOriginAt, size);
  // What a header could not have been encoded from is not taken: the padding is zero.
  if (Bytes{encode(header).data(), kSegmentHeaderSize} != octets.substr(0, kSegmentHeaderSize))
    return std::unexpected(make_error_code(JournalError::corrupt));
  return header;
}

std::array<char, kGroupHeaderSize> encode(const GroupHeader& header) {
  std::array<char, kGroupHeaderSize> out;
  char* p = out.data();
  std::memcpy(p, kGroupMagic.data(), kGroupMagic.size());
  put_be(p + kGroupFramesAt, header.frames, 4);
  put_be(p + kGroupSizeAt, header.frames_size, 4);
  put_be(p + kGroupFirstAt, header.first_index, 8);
  put_be(p + kGroupDurableAt, header.durable, 8);
  put_be(p + kGroupFramesCrcAt, header.frames_crc, 4);
  put_octets(p + kGroupChainAt, header.chain);
  put_be(p + kGroupCrcAt, masked_crc({p + kGroupFramesAt, kGroupHeaderSize - kGroupFramesAt}), 4);
  return out;
}

std::optional<GroupHeader> decode_group_header(Bytes octets) {
  if (octets.size() < kGroupHeaderSize || !octets.starts_with(kGroupMagic)) return std::nullopt;
  const char* p = octets.data();
  if (get32(p + kGroupCrcAt) != masked_crc({p + kGroupFramesAt, kGroupHeaderSize - kGroupFramesAt}))
    return std::nullopt;
  GroupHeader header;
  header.frames = get32(p + kGroupFramesAt);
  header.frames_size = get32(p + kGroupSizeAt);
  header.first_index = get_be(p + kGroupFirstAt, 8);
  header.durable = get_be(p + kGroupDurableAt, 8);
  header.frames_crc = get32(p + kGroupFramesCrcAt);
  get_octets(p + kGroupChainAt, header.chain);
  const bool in_range = header.frames >= 1 && header.frames <= kGroupRecordsMax &&
                        header.frames_size >= header.frames * (kFrameHeaderSize + kLeafSize) &&
                        header.frames_size <= kGroupFramesSizeMax && header.durable <= header.first_index;
  return in_range ? std::optional(header) : std::nullopt;
}

Hash first_chain(Crypto& crypto, std::string_view origin) { return crypto.sha256({kChainLabel, origin}); }

Hash next_chain(Crypto& crypto, Bytes group_header, Bytes last_leaf) {
  return crypto.sha256({kChainLabel, group_header, last_leaf});
}

std::uint32_t finish_frame(std::span<char> frame, std::uint64_t index) {
  char* p = frame.data();
  put_be(p + kFrameLengthAt, frame.size() - kFrameHeaderSize, 4);
  put_be(p + kFrameIndexAt, index, 8);
  const std::uint32_t crc = masked_crc({p + kFrameLengthAt, frame.size() - kFrameLengthAt});
  put_be(p, crc, 4);
  return crc;
}

std::optional<Frame> decode_frame(Crypto& crypto, Bytes octets) {
  if (octets.size() < kFrameHeaderSize + kLeafSize) return std::nullopt;
  const std::uint32_t length = get32(octets.data() + kFrameLengthAt);
  if (length < kLeafSize || length > kFrameSizeMax - kFrameHeaderSize || length > octets.size() - kFrameHeaderSize)
    return std::nullopt;
  octets = octets.substr(0, kFrameHeaderSize + length);
  Frame frame;
  frame.crc = get32(octets.data());
  if (frame.crc != masked_crc(octets.substr(kFrameLengthAt))) return std::nullopt;
  frame.index = get_be(octets.data() + kFrameIndexAt, 8);
  frame.leaf = octets.substr(kFrameHeaderSize, kLeafSize);
  frame.body = octets.substr(kFrameHeaderSize + kLeafSize);
  const auto leaf = decode_leaf(frame.leaf);
  if (!leaf) return std::nullopt;
  if (is_bodiless(leaf->type) ? !frame.body.empty() : frame.body.size() < kTagSize) return std::nullopt;
  if (is_record(frame.leaf) && crypto.sha256({frame.body}) != leaf->second) return std::nullopt;
  return frame;
}

std::size_t size_of(const Frame& frame) { return kFrameHeaderSize + frame.leaf.size() + frame.body.size(); }

std::string segment_name(std::uint32_t number) { return fmt::format("{:08}", number); }
std::string segment_file(std::uint32_t number) { return "segments/" + segment_name(number) + ".seg"; }
std::string sheet_file(std::uint32_t number) { return "segments/" + segment_name(number) + ".sheet"; }
std::string torn_file(std::uint32_t number, std::uint64_t first_index) {
  return fmt::format("torn/{}-{}.torn", segment_name(number), first_index);
}

std::optional<std::uint32_t> segment_number(std::string_view file_name) {
  if (file_name.size() != 12 || !file_name.ends_with(".seg")) return std::nullopt;
  std::uint32_t number = 0;
  for (const char c : file_name.substr(0, 8)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return number;
}

}  // namespace chancery::journal
