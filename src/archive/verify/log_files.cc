// LogCheck, second part: the files beside the segments.
#include <algorithm>
#include <fmt/format.h>

#include "archive/verify/log_check.h"

namespace chancery::verify {

// Where records and tiles differ, the signed root says which of them is wrong.
void LogCheck::report_tiles() {
  const auto& faults = tiles_->faults();
  if (wrong_root_) {
    std::uint64_t first = 0;
    for (const Published& published : history_.published)
      if (published.head.size < *wrong_root_) first = published.head.size;
    std::string what = fmt::format("one of the records {} to {} is not what was published", first, *wrong_root_ - 1);
    for (const TileFault& fault : faults)
      if (fault.level == 0 && fault.index >= first && fault.index < *wrong_root_) {
        first = fault.index;
        what = "the record is not what was published";
        break;
      }
    find(Kind::altered, first, "", what);
    return;
  }
  if (is_cut_) return;
  for (const TileFault& fault : faults) {
    if (fault.is_published)
      find(fault.is_missing ? Kind::removed : Kind::altered, fault.index, fault.path,
           fault.is_missing ? "a tile of the tree is missing" : "a tile of the tree is not what the records make");
    else if (log_.tail_damage.empty())
      log_.tail_damage = path(fault.path) + " holds other hashes than the unpublished records make";
  }
}

void LogCheck::check_sheets() {
  if (is_cut_) return;
  std::set<std::uint32_t> unnamed = input_.files.sheets;
  for (const auto& [segment, expected] : sheets_) {
    const std::string file = fmt::format("segments/{:08}.sheet", segment);
    const bool is_published = expected.front().index < published();
    const auto octets = unnamed.erase(segment) != 0 ? read(file) : std::nullopt;
    if (!octets) {
      lost(expected.front().index, file, "the segment's key sheet is missing", Kind::removed);
      continue;
    }
    // The newest published one, or one that the unpublished tail names.
    const Hash hash = merkle::sha256(*octets);
    bool is_named = false;
    for (std::size_t i = 0; i < expected.size(); ++i)
      if (i + 1 == expected.size() || expected[i + 1].index >= published()) is_named |= expected[i].hash == hash;
    if (is_named) continue;
    if (is_published)
      find(Kind::altered, expected.front().index, file, "the key sheet is not the one the log names");
    else
      log_.tail_damage = path(file) + " is not the key sheet that the log names";
  }
  for (const std::uint32_t segment : unnamed) {
    const std::string file = fmt::format("segments/{:08}.sheet", segment);
    // A sheet is made before the first frame of its segment.
    if (!input_.files.segments.empty() && segment >= *input_.files.segments.rbegin())
      report_.notes.push_back(path(file) + ": a segment was being begun");
    else
      find(Kind::foreign, std::nullopt, file, "a key sheet that no record names");
  }
}

void LogCheck::check_torn() {
  if (is_cut_) return;
  auto unnamed = input_.files.torn;
  for (const auto& [file, expected] : torn_) {
    const auto octets = unnamed.erase(file) != 0 ? read(file) : std::nullopt;
    if (!octets)
      lost(expected.index, file, "what an unclean stop left behind was kept, and is missing", Kind::removed);
    else if (merkle::sha256(*octets) != expected.hash)
      lost(expected.index, file, "what an unclean stop left behind is not what was kept", Kind::altered);
  }
  for (const auto& [file, index] : unnamed) {
    if (index >= published())
      report_.notes.push_back(path(file) + ": kept aside, not yet on the record");
    else
      find(Kind::foreign, std::nullopt, file, "a torn tail that no record names");
  }
}

void LogCheck::check_held() {
  for (const HeldCheckpoint& held : anchors_.since) {
    if (held.origin != input_.origin || held.head.size <= published()) continue;
    find(Kind::rolled_back, published(), "",
         fmt::format("a checkpoint from outside covers {} records, this archive's newest covers {}", held.head.size,
                     published()));
  }
}

}  // namespace chancery::verify
