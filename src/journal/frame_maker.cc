#include "journal/frame_maker.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "core/crc32c.h"

namespace chancery::journal {
namespace {

// Where the parts of a leaf that are known last stand in it; docs/formats/journal.md, "Leaf".
constexpr std::size_t kCommitmentAt = 36, kSecondAt = 68;

}  // namespace

void FrameMaker::make(PreparedGroup& group) {
  if (segment_ != group.segment) {
    segment_ = group.segment;
    tree_ = std::make_unique<KeyTree>(segment_->keys);
  }
  std::size_t size = kGroupHeaderSize;
  for (const Entry& entry : group.entries) size += frame_size(entry.type, entry.payload.size());
  group.octets.resize(size);
  group.leaves.clear();
  std::array<char, 4 * kGroupRecordsMax> crcs;
  std::span<char> rest = std::span<char>(group.octets).subspan(kGroupHeaderSize);
  for (std::size_t i = 0; i < group.entries.size(); ++i) {
    const Entry& entry = group.entries[i];
    const auto frame = rest.first(frame_size(entry.type, entry.payload.size()));
    rest = rest.subspan(frame.size());
    group.leaves.push_back(static_cast<std::uint32_t>(frame.data() - group.octets.data()) + kFrameHeaderSize);
    make_frame(entry, group.first_index + i, *group.segment, frame);
    std::memcpy(crcs.data() + 4 * i, frame.data(), 4);
  }
  group.frames_crc = mask_crc(crc32c({crcs.data(), 4 * group.entries.size()}));
}

void FrameMaker::make_frame(const Entry& entry, std::uint64_t index, const Segment& segment, std::span<char> frame) {
  Leaf leaf{.type = entry.type,
            .retention_class = entry.retention_class,
            .time = entry.time,
            .conversation = entry.conversation,
            .conversation_sequence = entry.conversation_sequence,
            .commitment = {},
            .second = entry.second};
  const auto octets = encode(leaf);
  std::memcpy(frame.data() + kFrameHeaderSize, octets.data(), octets.size());
  if (!is_bodiless(entry.type)) encrypt(entry, static_cast<std::uint32_t>(index - segment.first_index), frame);
  finish_frame(frame, index);
}

void FrameMaker::encrypt(const Entry& entry, std::uint32_t tree_leaf, std::span<char> frame) {
  RecordKeys keys;
  // The writer begins a new segment before its tree ends, and only records that exist are ever erased.
  if (!tree_->keys_of(crypto_, tree_leaf, keys)) std::abort();
  char* leaf = frame.data() + kFrameHeaderSize;
  char* body = leaf + kLeafSize;
  const Hash commitment = crypto_.hmac(keys.salt, {entry.payload});
  std::memcpy(leaf + kCommitmentAt, commitment.data(), commitment.size());
  Nonce nonce;  // the nonce rule: docs/formats/journal.md, "Encryption"
  std::memcpy(nonce.data(), commitment.data(), nonce.size());
  crypto_.seal(keys.key, nonce, {leaf, kSecondAt}, entry.payload, body);
  if (entry.type != LeafType::record) return;
  const Hash second = crypto_.sha256({Bytes{body, entry.payload.size() + kTagSize}});
  std::memcpy(leaf + kSecondAt, second.data(), second.size());
}

KeyNodes new_seed() { return {{0, 0, random_secret()}}; }

std::error_code make_sheet(Crypto& crypto, KeyStore& keys, std::string_view origin, Segment& segment) {
  constexpr std::uint16_t kClass = 0;
  const auto key = keys.day_key(kClass, segment.day);
  if (!key) return key.error();
  Sheet sheet{segment.number, segment.first_index, {}};
  sheet.sections.push_back(seal_section(crypto, sheet, origin, kClass, day_number(segment.day), *key, segment.keys));
  segment.key = key->id;
  segment.sheet = encode(sheet);
  return {};
}

}  // namespace chancery::journal
