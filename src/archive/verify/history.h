#pragma once
// The published checkpoints of a log, read from docs/formats/checkpoint.md.
#include <optional>
#include <string>
#include <vector>

#include "archive/verify/report.h"
#include "merkle/checkpoint.h"

namespace chancery::verify {

struct SplitHistory {
  std::vector<Bytes> notes;  // without the empty line after each
  Bytes rest;                // what follows the last whole entry
};
SplitHistory split_history(Bytes checkpoints);

struct Published {
  merkle::Note note;
  merkle::TreeHead head;
  Instant time;
};

struct HistoryFiles {
  std::optional<Buffer> newest;      // checkpoint
  std::optional<Buffer> history;     // checkpoints
  std::optional<Buffer> unfinished;  // checkpoint.new
};

struct History {
  std::vector<Published> published;  // sizes rise, times do not fall, each names the one before
  std::optional<Finding> finding;    // the first thing that is wrong; then `published` holds what is before it
  std::vector<std::string> notes;

  std::uint64_t size() const { return published.empty() ? 0 : published.back().head.size; }
};

// Signatures are not checked here.
History read_history(const HistoryFiles& files, const std::string& origin);

}  // namespace chancery::verify
