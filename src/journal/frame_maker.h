#pragma once
// Turns entries into the frames of one group: keys, commitment, encryption, hashes, CRC. All that a record costs in
// computing is here and touches neither files nor locks, so that several threads can do it at once.
#include <cstdint>
#include <memory>
#include <system_error>
#include <vector>

#include "journal/format.h"
#include "journal/journal.h"
#include "journal/key_tree.h"
#include "journal/sheet.h"

namespace chancery::journal {

// What the writer knows of a segment. Shared by the groups in it; constant but for `sheet`, which the thread that
// makes the segment's first group fills in and the one that writes this group reads.
struct Segment {
  std::uint32_t number = 0;
  std::uint64_t first_index = 0;
  std::chrono::sys_days day;
  KeyNodes keys;
  KeyId key{};   // of the day key
  Buffer sheet;  // octets of the key sheet file
};

struct PreparedGroup {
  std::shared_ptr<Segment> segment;
  std::uint64_t first_index = 0;
  std::vector<Entry> entries;
  Buffer octets;                      // kGroupHeaderSize octets left free, then the frames
  std::vector<std::uint32_t> leaves;  // where each leaf begins in `octets`
  std::uint32_t frames_crc = 0;
  bool begins_segment = false;
  bool is_ready = false;  // guarded by the writer's lock
  std::error_code error;

  Bytes leaf(std::size_t i) const { return Bytes(octets).substr(leaves[i], kLeafSize); }
};

// One for each thread: it keeps contexts and the path in the key tree.
class FrameMaker {
 public:
  // Fills `octets`, `leaves`, `frames_crc` from `entries`. Payloads stay, for the observer.
  void make(PreparedGroup& group);
  Crypto& crypto() { return crypto_; }

 private:
  void make_frame(const Entry& entry, std::uint64_t index, const Segment& segment, std::span<char> frame);
  void encrypt(const Entry& entry, std::uint32_t tree_leaf, std::span<char> frame);

  Crypto crypto_;
  std::shared_ptr<const Segment> segment_;
  std::unique_ptr<KeyTree> tree_;
};

// A fresh seed, and the sheet that holds it.
KeyNodes new_seed();
std::error_code make_sheet(Crypto& crypto, KeyStore& keys, std::string_view origin, Segment& segment);

}  // namespace chancery::journal
