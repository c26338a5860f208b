#include "archive/backup.h"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

#include "archive/copy.h"
#include "archive/logs.h"
#include "archive/paths.h"
#include "archive/verify/archive_check.h"
#include "core/encoding.h"
#include "core/json.h"
#include "journal/format.h"
#include "journal/scan.h"
#include "merkle/checkpoint.h"
#include "merkle/hash.h"
#include "merkle/note.h"
#include "merkle/tile.h"

namespace chancery::archive {
namespace {

namespace fs = std::filesystem;

struct Problem : std::runtime_error {
  using std::runtime_error::runtime_error;
};

constexpr std::uint64_t kSmallFileMax = 1U << 20;
constexpr std::uint64_t kHistoryWindow = 1U << 20;  // octets of `checkpoints` looked at first

std::optional<Buffer> read_if_there(const fs::path& file) {
  auto octets = journal::read_file(journal::posix_disk(), file.string(), kSmallFileMax);
  if (octets) return *std::move(octets);
  if (octets.error() == std::errc::no_such_file_or_directory) return std::nullopt;
  throw Problem(fmt::format("{} cannot be read: {}", file.string(), octets.error().message()));
}

std::uint64_t size_in(const Buffer& note, const fs::path& file) {
  // The text of a note ends at the empty line before its signatures (C2SP signed-note).
  const auto end = note.find("\n\n");
  const auto checkpoint = merkle::Checkpoint::parse(Bytes{note}.substr(0, end == Buffer::npos ? 0 : end + 1));
  if (!checkpoint) throw Problem(fmt::format("{} is no checkpoint: run `chancery verify`", file.string()));
  return checkpoint->head.size;
}

// Copies one log up to a published point.
class LogBackup {
 public:
  LogBackup(const fs::path& archive, const Log& log, DurableCopier& copier)
      : log_(log), root_("logs/" + log.origin + "/"), folder_(archive / "logs" / log.origin), copier_(copier) {}

  // The checkpoint is read first: all that it covers is on disk already, and stays.
  std::uint64_t run() {
    const auto note = read_if_there(folder_ / "checkpoint");
    if (note) published_ = size_in(*note, folder_ / "checkpoint");
    copy_segments();
    for (const auto& name : names_in("torn")) must(copier_.copy_whole(root_ + "torn/" + name), "torn/" + name);
    if (fs::exists(folder_ / "log.vkey")) must(copier_.copy_whole(root_ + "log.vkey"), "log.vkey");
    if (note) {
      copy_tiles();
      copy_history(*note);
      copier_.write(root_ + "checkpoint", *note);
    }
    return published_;
  }

 private:
  void must(bool copied, const std::string& name) const {
    if (!copied) throw Problem(fmt::format("{}{} is missing or too short: run `chancery verify`", root_, name));
  }

  std::vector<std::string> names_in(const char* folder) const {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder_ / folder, error))
      if (entry.is_regular_file() && !entry.path().string().ends_with(".new"))
        names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
  }

  void copy_segments() {
    for (const auto& name : names_in("segments")) {
      const auto number = journal::segment_number(name);
      if (!number) continue;
      const auto size = size_of_segment(*number);
      if (!size) return;  // it and all after it begin above the published point
      must(copier_.copy_whole(root_ + journal::sheet_file(*number)), journal::sheet_file(*number));
      const std::string file = journal::segment_file(*number);
      must(copier_.copy(root_ + file, root_ + file, *size), file);
    }
  }

  // How much of a segment belongs to the copy: whole groups until the published size is reached. At rest: all.
  std::optional<std::uint64_t> size_of_segment(std::uint32_t number) const {
    const std::string path = (folder_ / journal::segment_file(number)).string();
    const auto file = journal::posix_disk().open(path, journal::Disk::Mode::read);
    if (!file) throw Problem(fmt::format("{} cannot be read: {}", path, file.error().message()));
    if (log_.at_rest) return (*file)->size().value_or(0);
    Buffer head(journal::kSegmentHeaderSize, '\0');
    const auto got = (*file)->read_at(0, head);
    const auto header = journal::decode_segment_header(head);
    if (!got || !header) throw Problem(fmt::format("{} is no segment: run `chancery verify`", path));
    if (number > 0 && published_ > 0 && header->first_index >= published_) return std::nullopt;
    journal::Crypto crypto;
    journal::SegmentScanner scanner{crypto, **file, *header};
    while (published_ == 0 || scanner.index() < published_) {
      const auto group = scanner.skip();
      if (!group || !*group) break;
    }
    return scanner.offset();
  }

  void copy_tiles() {
    for (unsigned level = 0; level <= merkle::kTileLevelMax; ++level) {
      const std::uint64_t nodes = published_ >> (merkle::kTileHeight * level);
      if (nodes == 0) break;
      for (std::uint64_t index = 0; index < nodes / merkle::kTileWidth; ++index)
        copy_tile({level, index, merkle::kTileWidth});
      if (const auto width = static_cast<unsigned>(nodes % merkle::kTileWidth); width > 0)
        copy_tile({level, nodes / merkle::kTileWidth, width});
    }
  }

  // A partial tile may have been removed since: a wider one of its number begins with it.
  void copy_tile(merkle::TileId tile) {
    const std::string path = merkle::path_of(tile);
    for (merkle::TileId wider = tile; wider.width <= merkle::kTileWidth; ++wider.width)
      if (copier_.copy(root_ + merkle::path_of(wider), root_ + path, tile.size())) return;
    must(false, path);
  }

  // `checkpoints` up to the entry of the note that was read; it may have grown since.
  void copy_history(const Buffer& note) {
    const fs::path file = folder_ / "checkpoints";
    std::ifstream in(file, std::ios::binary | std::ios::ate);
    const auto size = static_cast<std::uint64_t>(std::max<std::streamoff>(in.tellg(), 0));
    for (std::uint64_t window = std::min(kHistoryWindow, size);; window = std::min(window * 4, size)) {
      Buffer tail(window, '\0');
      in.seekg(static_cast<std::streamoff>(size - window));
      in.read(tail.data(), static_cast<std::streamsize>(window));
      if (const auto at = tail.rfind(note + "\n"); in && at != Buffer::npos) {
        const std::uint64_t end = size - window + at + note.size() + 1;
        return must(copier_.copy(root_ + "checkpoints", root_ + "checkpoints", end), "checkpoints");
      }
      if (window == size) break;
    }
    throw Problem(fmt::format("{} does not hold the newest checkpoint: run `chancery verify`", file.string()));
  }

  const Log& log_;
  std::string root_;  // relative to the archive
  fs::path folder_;
  DurableCopier& copier_;
  std::uint64_t published_ = 0;
};

// Ends in the digest of all that stands before it, so that a change of the manifest itself shows.
Buffer manifest(const Backup& backup, const std::vector<CopiedFile>& files, Instant now) {
  Buffer text;
  JsonWriter json{text};
  json.begin_object().member("format", "chancery-backup").member("version", 1).member("time", to_rfc3339(now));
  json.key("logs").begin_array();
  for (const auto& log : backup.logs)
    json.begin_object().member("log", log.log).member("published", log.published).end_object();
  json.end_array().key("files").begin_array();
  for (const auto& file : files)
    json.begin_object().member("path", file.path).member("size", file.size).member("sha256", file.sha256).end_object();
  json.end_array();
  return fmt::format("{},\"sha256\":\"{}\"}}\n", text, to_hex(bytes_of(merkle::sha256(text))));
}

void check_target(const fs::path& archive, const fs::path& target) {
  const fs::path from = fs::weakly_canonical(archive), to = fs::weakly_canonical(target);
  if (std::ranges::mismatch(from, to).in1 == from.end())
    throw Problem(fmt::format("{} lies in the archive itself: name a folder outside it", target.string()));
  if (fs::exists(target) && (!fs::is_directory(target) || !fs::is_empty(target)))
    throw Problem(fmt::format("{} is not empty: a copy is made in a folder of its own", target.string()));
}

// What was written is read back: each file against what was read from the archive, and the records against their
// checkpoints by the code that an auditor uses. Times and signers are not judged here: that takes an anchor.
void check_copy(const fs::path& target, const std::vector<CopiedFile>& files, Backup& backup) {
  verify::FolderSource source{target};
  for (const auto& file : files) {
    const auto octets = source.read(file.path);
    if (!octets || octets->size() != file.size || to_hex(bytes_of(merkle::sha256(*octets))) != file.sha256)
      backup.problems.push_back(fmt::format("{} did not reach the disk as it was read", file.path));
    else
      ++backup.files_checked;
  }
  const verify::Report report = verify::verify_archive(source, {});
  for (const auto& log : report.logs) {
    backup.records_checked += log.records;
    backup.checkpoints_checked += log.checkpoints;
    if (!log.tail_damage.empty())
      backup.remarks.push_back(fmt::format("{}: above its last checkpoint: {}", log.origin, log.tail_damage));
  }
  for (const auto& finding : report.findings) {
    const std::string what =
        fmt::format("{}: {}: {}", to_string(finding.kind),
                    finding.index ? finding.record() : finding.log + " " + finding.file, finding.what);
    const bool is_of_octets = finding.kind == verify::Kind::altered || finding.kind == verify::Kind::removed ||
                              finding.kind == verify::Kind::foreign;
    (is_of_octets ? backup.problems : backup.remarks).push_back(what);
  }
  for (const auto& line : report.unreadable) backup.problems.push_back(line);
}

Backup copy_all(const fs::path& archive, const fs::path& target, Instant now,
                const std::function<void(std::uint64_t)>& progress) {
  check_target(archive, target);
  fs::create_directories(target);
  DurableCopier copier{archive, fs::absolute(target), progress};
  if (!copier.copy_whole("archive.json")) throw Problem(fmt::format("{} is not an archive", archive.string()));
  Backup backup;
  for (const auto& log : list_logs(archive)) backup.logs.push_back({log.origin, LogBackup{archive, log, copier}.run()});
  copier.finish();
  backup.files = copier.files().size();
  backup.octets = copier.octets();
  check_copy(fs::absolute(target), copier.files(), backup);
  if (!backup.problems.empty()) return backup;
  const Buffer text = manifest(backup, copier.files(), now);
  backup.manifest_sha256 = to_hex(bytes_of(merkle::sha256(text)));
  copier.write("backup.json", text);
  copier.finish();
  return backup;
}

}  // namespace

std::expected<Backup, std::string> back_up(const fs::path& archive, const fs::path& target, Instant now,
                                           const std::function<void(std::uint64_t)>& progress) {
  try {
    return copy_all(archive, target, now, progress);
  } catch (const std::exception& error) {
    return std::unexpected(fmt::format("the copy is not finished: {}", error.what()));
  }
}

}  // namespace chancery::archive
