#pragma once
// For tests: the log behind testdata/golden, byte for byte. Those files are never made again: if they no longer come
// out of this, the format has changed, and that needs a new version number and new files beside these.
#include "journal/frame_maker.h"
#include "journal/journal_fixture.h"
#include "journal/log_file.h"

namespace chancery::journal {

inline constexpr std::string_view kGoldenOrigin = "hq/gw-1/00000001-9f3ac2d1";
inline constexpr std::array<std::string_view, 4> kGoldenPayloads = {"epoch", "hello", "", "the second group"};

inline KeyNodes golden_seed() {
  KeyNodes nodes(1);
  for (std::uint8_t i = 0; i < Secret::kSize; ++i) nodes[0].secret.data()[i] = i;
  return nodes;
}

inline Entry golden_entry(LeafType type, std::string_view payload, std::uint64_t sequence) {
  Entry entry;
  entry.type = type;
  entry.time = kNow;
  if (!is_bodiless(type)) entry.conversation.octets.fill(type == LeafType::record ? 0x11 : 0x22);
  entry.conversation_sequence = sequence;
  entry.payload = payload;
  return entry;
}

// Writes segment 0 and its sheet (given, because its nonce is random) to `disk`.
inline void write_golden(Disk& disk, Buffer sheet, const KeyId& key) {
  Crypto crypto;
  const std::string folder = log_folder(kArchive, std::string(kGoldenOrigin));
  ASSERT_FALSE(make_directories(disk, folder, "segments"));
  auto segment = std::make_shared<Segment>();
  segment->keys = golden_seed();
  segment->key = key;
  segment->sheet = std::move(sheet);
  LogFile log(disk, folder, std::string(kGoldenOrigin));
  ASSERT_FALSE(log.begin_segment(*segment));
  FrameMaker maker;
  PreparedGroup first, second;
  first.segment = second.segment = segment;
  first.entries.push_back(golden_entry(LeafType::log_opened, kGoldenPayloads[0], 0));
  first.entries.back().second = crypto.sha256({"archive.json"});
  first.entries.push_back(golden_entry(LeafType::segment_opened, "", 0));
  first.entries.back().second = crypto.sha256({segment->sheet});
  second.first_index = 2;
  for (std::uint64_t i = 0; i < 3; ++i)
    second.entries.push_back(golden_entry(LeafType::record, kGoldenPayloads[1 + i], i));
  for (PreparedGroup* group : {&first, &second}) {
    maker.make(*group);
    ASSERT_FALSE(log.write({&group, 1}));
    ASSERT_FALSE(log.sync());
  }
}

}  // namespace chancery::journal
