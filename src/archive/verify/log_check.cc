#include "archive/verify/log_check.h"

#include <algorithm>
#include <fmt/format.h>

namespace chancery::verify {

LogCheck::LogCheck(ArchiveSource& source, const Anchors& anchors, LogInput input,
                   std::vector<merkle::PublicKey>& vouched, Report& report)
    : source_(source), anchors_(anchors), input_(std::move(input)), vouched_(vouched), report_(report) {
  log_.origin = input_.origin;
}

void LogCheck::run() {
  history_ = read_history(input_.history, input_.origin);
  for (const std::string& note : history_.notes) report_.notes.push_back(note);
  if (history_.finding) {
    Finding finding = *history_.finding;
    finding.file = path(finding.file);
    report_.findings.push_back(finding);
  }
  read_key_file();
  for (const HeldCheckpoint& held : anchors_.since)
    if (held.origin == input_.origin && held.head.size <= published()) held_roots_[held.head.size] = held.head.root;
  tiles_.emplace(std::move(input_.files.tiles), published(),
                 [this](const merkle::TileId& tile) { return read_tile(tile); });
  read_records();
  report_tiles();
  check_sheets();
  check_torn();
  check_key_file();
  trust_keys();
  check_signatures();
  check_witnesses();
  check_held();
  conclude();
}

void LogCheck::find(Kind kind, std::optional<std::uint64_t> index, const std::string& file, const std::string& what) {
  report_.findings.push_back({kind, input_.origin, index, file.empty() ? "" : path(file), what});
}

std::optional<Buffer> LogCheck::read(const std::string& in_log) {
  auto octets = source_.read(path(in_log));
  if (octets) return std::move(*octets);
  if (octets.error() != std::errc::no_such_file_or_directory)
    report_.unreadable.push_back(path(in_log) + ": " + octets.error().message());
  return std::nullopt;
}

// While a log is being written, a partial tile of the checkpoint read before makes way for a wider one.
std::optional<Buffer> LogCheck::read_tile(const merkle::TileId& tile) {
  if (auto octets = read(merkle::path_of(tile))) return octets;
  for (unsigned width = tile.width + 1; width <= merkle::kTileWidth; ++width)
    if (auto wider = source_.read(path(merkle::path_of({tile.level, tile.index, width}))))
      return wider->substr(0, tile.size());
  return std::nullopt;
}

// Something is wrong from record `index` on.
void LogCheck::lost(std::uint64_t index, const std::string& file, const std::string& what, Kind kind) {
  if (index >= published()) {
    log_.tail_damage = fmt::format("from record {} on, {} ({})", index, what, path(file));
    return;
  }
  is_cut_ = true;
  find(kind, index, file, what);
}

void LogCheck::read_records() {
  SegmentContext context = first_segment(input_.origin);
  const std::set<std::uint32_t>& numbers = input_.files.segments;
  for (std::uint32_t number = 0; !numbers.empty() && number <= *numbers.rbegin(); ++number) {
    const std::string file = fmt::format("segments/{:08}.seg", number);
    const auto octets = numbers.contains(number) ? read(file) : std::nullopt;
    if (!octets) {
      lost(context.first_index, file, "a segment is missing", Kind::removed);
      break;
    }
    const SegmentResult result = read_segment(*octets, context, [&](const Frame& frame) { on_frame(frame, number); });
    context = result.next;
    if (!result.damage) continue;
    lost(result.damage->index, file, fmt::format("{} at octet {}", result.damage->what, result.damage->offset),
         Kind::altered);
    break;
  }
  log_.records = tree_.size();
  if (tree_.size() < published() && !is_cut_)
    lost(tree_.size(), "", fmt::format("records {} to {} are missing", tree_.size(), published() - 1), Kind::removed);
  if (!is_cut_) tiles_->finish();
}

void LogCheck::on_frame(const Frame& frame, std::uint32_t segment) {
  check_place(frame, segment);
  check_time(frame);
  const Leaf& leaf = frame.leaf;
  const Expected expected{frame.index, leaf.second};
  switch (leaf.type) {
    case LeafType::segment_opened:
    case LeafType::sheet_replaced:
      sheets_[static_cast<std::uint32_t>(leaf.conversation_sequence)].push_back(expected);
      break;
    case LeafType::torn_tail:
      torn_[fmt::format("torn/{:08}-{}.torn", segment, frame.index)] = expected;
      break;
    case LeafType::key_added:
      key_files_.push_back(expected);
      break;
    case LeafType::log_opened:
      if (input_.archive_json && leaf.second != *input_.archive_json && published() > 0)
        report_.findings.push_back({Kind::altered, input_.origin, frame.index, "archive.json",
                                    "archive.json is not the one this log was opened under"});
      break;
    case LeafType::record:
    case LeafType::tombstone:
      break;
  }
  if (!frame.body.empty()) check_sequence(frame);
  tree_.append(merkle::leaf_hash(frame.leaf_octets),
               [this](merkle::NodeId node, const Hash& hash) { tiles_->add(node, hash); });
  check_roots();
}

// docs/formats/journal.md, "Leaf": where the leaves that open something stand.
void LogCheck::check_place(const Frame& frame, std::uint32_t segment) {
  const LeafType type = frame.leaf.type;
  if ((frame.index == 0) != (type == LeafType::log_opened))
    find(Kind::altered, frame.index, "", "a log begins with its opening record, and only there");
  if (type == LeafType::segment_opened && frame.leaf.conversation_sequence != segment)
    find(Kind::altered, frame.index, "", "it opens another segment than the one it stands in");
}

void LogCheck::check_time(const Frame& frame) {
  const auto& all = history_.published;
  while (next_checkpoint_ < all.size() && all[next_checkpoint_].head.size <= frame.index) ++next_checkpoint_;
  const Instant time = frame.leaf.time;
  if (next_checkpoint_ > 0 && time + anchors_.tolerance < all[next_checkpoint_ - 1].time)
    find(Kind::backdated, frame.index, "",
         fmt::format("it says {}, but {} records were already published without it at {}", to_rfc3339(time),
                     all[next_checkpoint_ - 1].head.size, to_rfc3339(all[next_checkpoint_ - 1].time)));
  if (next_checkpoint_ < all.size() && time - anchors_.tolerance > all[next_checkpoint_].time)
    find(Kind::backdated, frame.index, "",
         fmt::format("it says {}, but was published at {}", to_rfc3339(time), to_rfc3339(all[next_checkpoint_].time)));
}

void LogCheck::check_sequence(const Frame& frame) {
  std::uint64_t& next = sequences_[frame.leaf.conversation];
  if (frame.leaf.conversation_sequence != next && frame.index < published())
    find(Kind::gap, frame.index, "",
         fmt::format("conversation {} goes on with number {} where {} is next", frame.leaf.conversation.hex(),
                     frame.leaf.conversation_sequence, next));
  next = frame.leaf.conversation_sequence + 1;
}

// The root at each published size, and at each size that an anchor names.
void LogCheck::check_roots() {
  const auto& all = history_.published;
  const std::uint64_t size = tree_.size();
  const bool is_published = next_checkpoint_ < all.size() && all[next_checkpoint_].head.size == size;
  const auto held = held_roots_.find(size);
  if (!is_published && held == held_roots_.end()) return;
  const Hash root = tree_.root();
  if (is_published && root != all[next_checkpoint_].head.root && !wrong_root_) wrong_root_ = size;
  if (held != held_roots_.end() && root != held->second)
    find(Kind::resigned, size - 1, "",
         fmt::format("the first {} records are not those that the checkpoint from outside covers", size));
}

}  // namespace chancery::verify
