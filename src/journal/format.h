#pragma once
// The layouts of docs/formats/journal.md: segment header, group header, frame. Pure: octets in, values out.
#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <system_error>

#include "core/bytes.h"
#include "journal/crypto.h"
#include "journal/journal.h"
#include "journal/keystore.h"
#include "merkle/leaf.h"

namespace chancery::journal {

inline constexpr std::uint16_t kVersion = 1;
inline constexpr std::uint16_t kSuite = 1;
inline constexpr std::size_t kSegmentHeaderSize = 256;
inline constexpr std::size_t kGroupHeaderSize = 68;
inline constexpr std::size_t kFrameHeaderSize = 16;
inline constexpr std::uint32_t kGroupFramesSizeMax = 16U << 20;  // octets of the frames of one group
inline constexpr std::size_t kOriginSizeMax = 145;
inline constexpr std::uint32_t kFrameSizeMax =
    static_cast<std::uint32_t>(kFrameHeaderSize + kLeafSize + kPayloadSizeMax + kTagSize);

// Big-endian integers.
void put_be(char* out, std::uint64_t value, std::size_t size);
std::uint64_t get_be(const char* in, std::size_t size);

struct SegmentHeader {
  std::uint32_t number = 0;
  std::uint64_t first_index = 0;
  std::uint64_t previous_size = 0;  // octets of the segment before
  Hash chain{};
  KeyId key{};
  std::string origin;
  bool operator==(const SegmentHeader&) const = default;
};
std::array<char, kSegmentHeaderSize> encode(const SegmentHeader& header);
// `foreign`: not a segment, or of a later version or suite. `corrupt`: CRC or content.
std::expected<SegmentHeader, std::error_code> decode_segment_header(Bytes octets);

struct GroupHeader {
  std::uint32_t frames = 0;
  std::uint32_t frames_size = 0;  // octets
  std::uint64_t first_index = 0;
  std::uint64_t durable = 0;
  std::uint32_t frames_crc = 0;  // as stored: masked
  Hash chain{};
  bool operator==(const GroupHeader&) const = default;
};
std::array<char, kGroupHeaderSize> encode(const GroupHeader& header);
std::optional<GroupHeader> decode_group_header(Bytes octets);  // nullopt: magic, CRC or a field out of range

Hash first_chain(Crypto& crypto, std::string_view origin);
Hash next_chain(Crypto& crypto, Bytes group_header, Bytes last_leaf);

// The types whose frame has no body.
constexpr bool is_bodiless(LeafType type) {
  return type == LeafType::segment_opened || type == LeafType::sheet_replaced;
}
constexpr std::size_t frame_size(LeafType type, std::size_t payload_size) {
  return kFrameHeaderSize + kLeafSize + (is_bodiless(type) ? 0 : payload_size + kTagSize);
}

struct Frame {
  std::uint64_t index = 0;
  std::uint32_t crc = 0;  // as stored: masked
  Bytes leaf;             // kLeafSize octets of the frame
  Bytes body;
};
// Fills in the header of a frame whose leaf and body stand behind it; returns the stored CRC.
std::uint32_t finish_frame(std::span<char> frame, std::uint64_t index);
// The frame at the beginning of `octets`: CRC, size, leaf and (of records) SHA-256(body) are checked. nullopt: bad.
std::optional<Frame> decode_frame(Crypto& crypto, Bytes octets);
std::size_t size_of(const Frame& frame);

// "00000007"
std::string segment_name(std::uint32_t number);
std::string segment_file(std::uint32_t number);  // "segments/00000007.seg"
std::string sheet_file(std::uint32_t number);    // "segments/00000007.sheet"
std::string torn_file(std::uint32_t number, std::uint64_t first_index);
// The number of "00000007.seg"; nullopt for any other name.
std::optional<std::uint32_t> segment_number(std::string_view file_name);

}  // namespace chancery::journal
