#include "journal/recovery.h"

#include <algorithm>
#include <deque>
#include <fmt/format.h>

namespace chancery::journal {
namespace {

constexpr std::string_view kSegmentsPrefix = "segments/";

std::unexpected<OpenFailure> fail(std::error_code code, std::string detail) {
  return std::unexpected(failure(code, std::move(detail)));
}

std::unexpected<OpenFailure> corrupt(std::string detail) { return fail(JournalError::corrupt, std::move(detail)); }

std::string segment_path(const std::string& folder, std::uint32_t number) {
  return folder + "/" + segment_file(number);
}

struct OpenedSegment {
  std::unique_ptr<File> file;
  std::uint64_t size = 0;
};

std::expected<OpenedSegment, OpenFailure> open_segment(Disk& disk, const std::string& folder, std::uint32_t number,
                                                       Disk::Mode mode) {
  const std::string path = segment_path(folder, number);
  auto file = disk.open(path, mode);
  if (!file) return fail(file.error(), path);
  const auto size = (*file)->size();
  if (!size) return fail(size.error(), path);
  return OpenedSegment{*std::move(file), *size};
}

std::expected<SegmentHeader, OpenFailure> read_header(File& file, const std::string& path) {
  std::array<char, kSegmentHeaderSize> octets;
  const auto got = file.read_at(0, octets);
  if (!got) return fail(got.error(), path);
  const auto header = decode_segment_header({octets.data(), *got});
  if (!header) return fail(header.error(), path + ": segment header");
  return *header;
}

// Names of segments, which must be 0, 1, … without a gap.
std::expected<std::uint32_t, OpenFailure> count_segments(Disk& disk, const std::string& folder) {
  const auto names = disk.list(folder + "/segments");
  if (!names && names.error() == std::errc::no_such_file_or_directory) return 0;
  if (!names) return fail(names.error(), folder + "/segments");
  std::uint32_t count = 0;
  for (const std::string& name : *names) {
    const auto number = segment_number(name);
    if (!number) continue;
    if (*number != count) return corrupt(fmt::format("{}: segment {} is missing", folder, segment_name(count)));
    ++count;
  }
  return count;
}

// Keeps in `unsure` the beginnings of the groups that no later header has called durable.
class UnsureGroups {
 public:
  void add(const Group& group) {
    while (!groups_.empty() && groups_.front().end_index <= group.header.durable) groups_.pop_front();
    groups_.push_back({group.offset, group.end_index()});
  }
  std::uint64_t offset_or(std::uint64_t end) const { return groups_.empty() ? end : groups_.front().offset; }

 private:
  struct Place {
    std::uint64_t offset, end_index;
  };
  std::deque<Place> groups_;
};

std::expected<void, OpenFailure> scan_tail(Crypto& crypto, Tail& tail, const Position& known) {
  SegmentScanner scanner(crypto, *tail.file, tail.header);
  UnsureGroups unsure;
  while (true) {
    if (scanner.index() == known.size) tail.passed_known = scanner.chain() == known.chain;
    const auto group = scanner.next();
    if (!group) return fail(group.error(), "reading segment " + segment_name(tail.header.number));
    if (!*group) break;
    unsure.add(**group);
    tail.durable = std::max(tail.durable, (*group)->header.durable);
  }
  tail.offset = scanner.offset();
  tail.end = {scanner.index(), scanner.chain()};
  tail.problem = scanner.problem();
  tail.unsure_offset = unsure.offset_or(tail.offset);
  return {};
}

// A group that cannot be read is damage if anything says that it was durable.
std::expected<void, OpenFailure> check_tail(const Tail& tail, const Known& known) {
  const std::string where =
      fmt::format("segment {}, offset {}, record {}", segment_name(tail.header.number), tail.offset, tail.end.size);
  if (tail.problem.empty()) {
    if (tail.end.size >= known.published) return {};
    return corrupt(
        fmt::format("{}: the log ends here, below its published checkpoint of size {}", where, known.published));
  }
  const auto stated = durable_after(*tail.file, tail.offset + 1);
  if (!stated) return fail(stated.error(), where);
  if (*stated > tail.end.size)
    return corrupt(
        fmt::format("{}: {}; a later group says that {} records were durable", where, tail.problem, *stated));
  if (known.published > tail.end.size)
    return corrupt(fmt::format("{}: {}; a checkpoint of size {} is published", where, tail.problem, known.published));
  if (known.durable.size > tail.end.size)
    return corrupt(fmt::format("{}: {}; the state folder says that {} records were durable", where, tail.problem,
                               known.durable.size));
  return {};
}

std::expected<Buffer, std::error_code> read_range(File& file, std::uint64_t begin, std::uint64_t end) {
  Buffer octets(end - begin, '\0');
  const auto got = file.read_at(begin, octets);
  if (!got) return std::unexpected(got.error());
  octets.resize(*got);
  return octets;
}

}  // namespace

OpenFailure failure(std::error_code code, std::string detail) {
  return {code, fmt::format("{} ({})", detail, code.message())};
}

std::expected<LogShape, OpenFailure> read_shape(Disk& disk, const std::string& folder, const std::string& origin) {
  const auto count = count_segments(disk, folder);
  if (!count) return std::unexpected(count.error());
  LogShape shape;
  std::uint64_t previous_size = 0;
  for (std::uint32_t number = 0; number < *count; ++number) {
    const std::string path = segment_path(folder, number);
    const auto segment = open_segment(disk, folder, number, Disk::Mode::read);
    if (!segment) return std::unexpected(segment.error());
    auto header = read_header(*segment->file, path);
    if (!header) return std::unexpected(header.error());
    if (header->origin != origin || header->number != number)
      return fail(JournalError::foreign, fmt::format("{}: is segment {} of {}", path, header->number, header->origin));
    if (header->previous_size != previous_size)
      return corrupt(fmt::format("{}: has {} octets, the segment after it says {}", segment_path(folder, number - 1),
                                 previous_size, header->previous_size));
    const bool is_in_order =
        number == 0 ? header->first_index == 0 : header->first_index > shape.headers.back().first_index;
    if (!is_in_order) return corrupt(fmt::format("{}: first index {}", path, header->first_index));
    previous_size = segment->size;
    shape.headers.push_back(*std::move(header));
  }
  return shape;
}

std::expected<Tail, OpenFailure> read_tail(Crypto& crypto, Disk& disk, const std::string& folder, const LogShape& shape,
                                           const Known& known) {
  Tail tail;
  tail.header = shape.headers.back();
  auto segment = open_segment(disk, folder, tail.header.number, Disk::Mode::update);
  if (!segment) return std::unexpected(segment.error());
  tail.file = std::move(segment->file);
  tail.size = segment->size;
  if (const auto done = scan_tail(crypto, tail, known.durable); !done) return std::unexpected(done.error());
  if (const auto good = check_tail(tail, known); !good) return std::unexpected(good.error());
  return tail;
}

std::expected<std::optional<bool>, OpenFailure> passed(Crypto& crypto, Disk& disk, const std::string& folder,
                                                       const LogShape& shape, const Tail& tail, const Position& known) {
  if (known.size == 0) return true;
  if (known.size > tail.end.size) return std::nullopt;
  if (known.size >= tail.header.first_index) return tail.passed_known;
  // In an earlier segment: the header of the group that begins there, or of the next segment, holds the chain.
  const auto after = std::ranges::upper_bound(shape.headers, known.size, {}, &SegmentHeader::first_index);
  const SegmentHeader& header = *std::prev(after);
  if (header.first_index == known.size) return header.chain == known.chain;
  const auto segment = open_segment(disk, folder, header.number, Disk::Mode::read);
  if (!segment) return std::unexpected(segment.error());
  SegmentScanner scanner(crypto, *segment->file, header);
  while (scanner.index() < known.size) {
    const auto group = scanner.skip();
    if (!group) return fail(group.error(), segment_path(folder, header.number));
    if (!*group)
      return corrupt(fmt::format("segment {}, offset {}, record {}: {}", segment_name(header.number), scanner.offset(),
                                 scanner.index(), scanner.problem().empty() ? "ends here" : scanner.problem()));
  }
  if (scanner.index() != known.size) return false;
  const auto group = scanner.skip();
  if (!group) return fail(group.error(), segment_path(folder, header.number));
  return *group && (*group)->chain == known.chain;
}

std::error_code remove_unfinished(Disk& disk, const std::string& folder, const LogShape& shape) {
  const std::string orphan =
      sheet_file(static_cast<std::uint32_t>(shape.headers.size())).substr(kSegmentsPrefix.size());
  for (const std::string& below : {folder + "/segments", folder + "/torn"}) {
    const auto names = disk.list(below);
    if (!names && names.error() == std::errc::no_such_file_or_directory) continue;
    if (!names) return names.error();
    for (const std::string& name : *names)
      if (name.ends_with(".new") || name == orphan)
        if (const auto error = disk.remove(below + "/" + name)) return error;
    if (const auto error = disk.sync_directory(below)) return error;
  }
  return {};
}

std::error_code confirm_tail(Tail& tail) {
  const auto octets = read_range(*tail.file, tail.unsure_offset, tail.offset);
  if (!octets) return octets.error();
  if (!octets->empty())
    if (const auto error = tail.file->write_at(tail.unsure_offset, Bytes(*octets))) return error;
  return tail.file->sync();
}

std::expected<std::optional<TornTail>, OpenFailure> set_torn_aside(Disk& disk, const std::string& folder, Tail& tail) {
  TornTail torn{torn_file(tail.header.number, tail.end.size), tail.header.number, tail.end.size, 0};
  const std::string path = folder + "/" + torn.path;
  const auto there = disk.exists(path);
  if (!there) return fail(there.error(), path);
  if (tail.size == tail.offset && !*there) return std::nullopt;
  if (tail.size > tail.offset) {
    if (!*there) {
      const auto octets = read_range(*tail.file, tail.offset, tail.size);
      if (!octets) return fail(octets.error(), segment_path(folder, tail.header.number));
      auto error = make_directories(disk, folder, "torn");
      if (!error) error = write_file_durably(disk, path, *octets);
      if (error) return fail(error, path);
    } else if (const auto error = disk.sync_directory(folder + "/torn")) {
      return fail(error, path);
    }
    auto error = tail.file->truncate(tail.offset);
    if (!error) error = tail.file->sync();
    if (error) return fail(error, segment_path(folder, tail.header.number));
    tail.size = tail.offset;
  }
  const auto kept = disk.open(path, Disk::Mode::read);
  const auto size = kept ? (*kept)->size() : std::unexpected(kept.error());
  if (!size) return fail(size.error(), path);
  torn.size = *size;
  return torn;
}

std::expected<std::uint64_t, OpenFailure> next_sequence(Crypto& crypto, Disk& disk, const std::string& folder,
                                                        const LogShape& shape, const ConversationId& conversation) {
  for (auto header = shape.headers.rbegin(); header != shape.headers.rend(); ++header) {
    const auto segment = open_segment(disk, folder, header->number, Disk::Mode::read);
    if (!segment) return std::unexpected(segment.error());
    SegmentScanner scanner(crypto, *segment->file, *header);
    std::optional<std::uint64_t> last;
    while (true) {
      const auto group = scanner.next();
      if (!group) return fail(group.error(), segment_path(folder, header->number));
      if (!*group) break;
      for (const Frame& frame : (*group)->frames) {
        const auto leaf = decode_leaf(frame.leaf);
        if (leaf && leaf->conversation == conversation) last = leaf->conversation_sequence;
      }
    }
    if (last) return *last + 1;
  }
  return 0;
}

std::expected<std::optional<Leaf>, OpenFailure> first_leaf(Crypto& crypto, Disk& disk, const std::string& folder,
                                                           const LogShape& shape) {
  const auto segment = open_segment(disk, folder, 0, Disk::Mode::read);
  if (!segment) return std::unexpected(segment.error());
  SegmentScanner scanner(crypto, *segment->file, shape.headers.front());
  const auto group = scanner.next();
  if (!group) return fail(group.error(), segment_path(folder, 0));
  if (!*group) {
    if (shape.headers.size() == 1) return std::nullopt;
    return corrupt(fmt::format("segment {}, offset {}, record 0: {}", segment_name(0), scanner.offset(),
                               scanner.problem().empty() ? "ends here" : scanner.problem()));
  }
  const auto leaf = decode_leaf((*group)->frames.front().leaf);
  if (!leaf || leaf->type != LeafType::log_opened) return corrupt("segment 00000000: record 0 does not open the log");
  return *leaf;
}

}  // namespace chancery::journal
