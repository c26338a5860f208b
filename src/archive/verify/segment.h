#pragma once
// Reads a segment file from its specification, docs/formats/journal.md; shares nothing with the journal's own code.
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/bytes.h"
#include "merkle/hash.h"
#include "merkle/leaf.h"

namespace chancery::verify {

// What a segment must say, as known from its name and the segment before.
struct SegmentContext {
  std::string origin;
  std::uint32_t number = 0;
  std::uint64_t first_index = 0;
  std::uint64_t previous_size = 0;  // octets of the segment before
  Hash chain{};                     // before the first group
};
SegmentContext first_segment(const std::string& origin);

struct Frame {
  std::uint64_t index = 0;
  std::size_t offset = 0;
  Bytes leaf_octets;  // 100
  Leaf leaf;
  Bytes body;
};

// The first thing that is wrong. `index`: of the first record that is lost by it.
struct Damage {
  std::uint64_t index = 0;
  std::size_t offset = 0;
  std::string what;
};

struct SegmentResult {
  std::optional<Damage> damage;
  SegmentContext next;  // what the segment after must say; meaningful without damage
};

// Checks every octet and gives each good frame to `visit`, in order. Without damage the whole file was read.
SegmentResult read_segment(Bytes file, const SegmentContext& context, const std::function<void(const Frame&)>& visit);

}  // namespace chancery::verify
