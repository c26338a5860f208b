#include "app/archive_status.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <set>

#include "archive/verify/history.h"
#include "journal/format.h"
#include "journal/state.h"
#include "merkle/checkpoint.h"
#include "merkle/tile.h"

namespace chancery::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kProgressEvery = 4096;      // records
constexpr std::uint64_t kHistoryWindow = 1U << 20;  // octets of `checkpoints` looked at for cosignatures
constexpr std::uint64_t kNoteSizeMax = merkle::kNoteSizeMax;

// How many records a log holds: the last index that its reader gives, found by doubling and halving.
std::uint64_t count_records(journal::Reader& reader, std::error_code& error) {
  const auto has = [&](std::uint64_t index) {
    const auto record = reader.at(index);
    if (!record && record.error() != std::errc::result_out_of_range) error = record.error();
    return record.has_value();
  };
  if (!has(0)) return 0;
  std::uint64_t there = 0, beyond = 1;
  while (has(beyond)) {
    there = beyond;
    beyond *= 2;
  }
  while (beyond - there > 1) {
    const std::uint64_t middle = there + (beyond - there) / 2;
    (has(middle) ? there : beyond) = middle;
  }
  return beyond;
}

std::uint64_t read_records(journal::Reader& reader, const std::string& log, const StatusOptions& options,
                           std::error_code& error) {
  for (std::uint64_t count = 0;; ++count) {
    const auto record = reader.next();
    if (!record) error = record.error();
    if (!record || !*record) return count;
    if (count % kProgressEvery == 0) options.progress(log, count);
  }
}

// The end of a file, at most `size` octets; "" when there is none.
Buffer tail_of(const fs::path& file, std::uint64_t size) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) return {};
  const auto whole = static_cast<std::uint64_t>(std::max<std::streamoff>(in.tellg(), 0));
  Buffer octets(std::min(size, whole), '\0');
  in.seekg(static_cast<std::streamoff>(whole - octets.size()));
  in.read(octets.data(), static_cast<std::streamsize>(octets.size()));
  return in ? octets : Buffer{};
}

struct Stated {
  merkle::Note note;
  std::uint64_t size = 0;
  std::optional<Instant> time;
};

std::optional<Stated> read_note(Bytes octets, const std::string& origin) {
  auto note = merkle::parse_note(octets);
  const auto checkpoint = note ? merkle::Checkpoint::parse(note->text) : std::unexpected(note.error());
  if (!checkpoint || checkpoint->origin != origin) return std::nullopt;
  const auto extensions = merkle::Extensions::parse(checkpoint->extensions);
  return Stated{std::move(*note), checkpoint->head.size, extensions ? std::optional{extensions->time} : std::nullopt};
}

class LogLook {
 public:
  LogLook(const archive::Paths& paths, archive::Log log, const StatusOptions& options)
      : paths_(paths), options_(options), folder_(log.folder) {
    status_.log = std::move(log);
  }

  LogStatus run() {
    read_checkpoints();  // first: all that it covers is on the disk already
    count();
    read_index();
    measure();
    compare();
    return std::move(status_);
  }

 private:
  void problem(std::string sentence) { status_.problems.push_back(std::move(sentence)); }

  void read_checkpoints() {
    std::error_code ignored;
    const bool has_history = fs::exists(folder_ / "checkpoints", ignored);
    const bool has_newest = fs::exists(folder_ / "checkpoint", ignored);
    if (!has_newest) {
      if (has_history && fs::file_size(folder_ / "checkpoints", ignored) > 0 &&
          !fs::exists(folder_ / "checkpoint.new", ignored))
        problem("its newest checkpoint is missing");
      return;
    }
    const auto newest = read_note(tail_of(folder_ / "checkpoint", kNoteSizeMax), status_.log.origin);
    if (!newest) return problem("its newest checkpoint cannot be read");
    if (!has_history) problem("the history of its checkpoints is missing");
    status_.published = newest->size;
    status_.published_time = newest->time;
    find_witnessed();
  }

  // Among the newest checkpoints, as far back as the window reaches.
  void find_witnessed() {
    const Buffer history = tail_of(folder_ / "checkpoints", kHistoryWindow);
    const std::string begin = "\n\n" + status_.log.origin + "\n";
    Bytes rest = history;
    if (!rest.starts_with(status_.log.origin + "\n")) {
      const auto at = rest.find(begin);
      if (at == Bytes::npos) return;
      rest.remove_prefix(at + 2);
    }
    for (const Bytes octets : verify::split_history(rest).notes) {
      const auto stated = read_note(octets, status_.log.origin);
      if (!stated || stated->note.signatures.size() < 2) continue;
      status_.witnessed = stated->size;
      status_.witnessed_time = stated->time;
    }
  }

  void count() {
    auto reader = archive::open_reader(status_.log, nullptr);
    if (!reader) return problem(reader.error());
    std::error_code error;
    status_.journaled = options_.read_records ? read_records(*reader, status_.log.origin, options_, error)
                                              : count_records(*reader, error);
    if (error) problem(archive::describe(status_.log, *reader, error));
  }

  void read_index() {
    const auto coverage = archive::coverage(paths_.index, {status_.log.origin}, options_.check_index).at(0);
    status_.indexed = coverage.complete_to;
    status_.damaged_index = coverage.damaged;
  }

  void measure() {
    std::error_code error;
    for (fs::recursive_directory_iterator it{folder_, error}, end; !error && it != end; it.increment(error)) {
      std::error_code gone;  // a partial tile may go away meanwhile
      if (!it->is_regular_file(gone)) continue;
      const std::uint64_t size = it->file_size(gone);
      if (gone) continue;
      const std::string name = it->path().lexically_relative(folder_).generic_string();
      status_.octets += size;
      if (name.ends_with(".seg")) ++status_.segments, status_.segment_octets += size;
      if (const auto tile = merkle::parse_tile_path(name); tile && tile->level == 0)
        status_.sealed = std::max(status_.sealed, tile->index * merkle::kTileWidth + tile->width);
    }
  }

  void compare() {
    LogStatus& s = status_;
    const bool was_read = s.problems.empty();
    if (s.journaled < s.published)
      problem(fmt::format("the log is shorter than its last checkpoint: it holds {} records, the checkpoint covers {}",
                          s.journaled, s.published));
    // Beside a writer, tiles come and go while they are listed.
    if (s.log.at_rest && s.sealed < s.published)
      problem(
          fmt::format("the tiles of its tree hold {} records, its last checkpoint covers {}", s.sealed, s.published));
    const auto known = known_elsewhere();
    if (was_read && s.log.at_rest && known > s.journaled)
      problem(fmt::format("it holds {} records; {} were durable when this machine wrote it last", s.journaled, known));
  }

  // What the state folder beside the archive remembers of this log; 0: nothing.
  std::uint64_t known_elsewhere() {
    const std::string& origin = status_.log.origin;
    const auto slash = origin.find('/'), second = origin.find('/', slash + 1);
    std::error_code ignored;
    if (second == std::string::npos || !fs::is_directory(paths_.state, ignored)) return 0;
    journal::StateFile file{journal::posix_disk(), paths_.state.string(), origin.substr(0, slash),
                            origin.substr(slash + 1, second - slash - 1)};
    const auto state = file.load();
    return state && *state && (*state)->origin == origin ? (*state)->durable.size : 0;
  }

  const archive::Paths& paths_;
  const StatusOptions& options_;
  fs::path folder_;
  LogStatus status_;
};

// Epochs of a node count up from 1.
std::vector<std::string> missing_epochs(const std::vector<LogStatus>& logs) {
  std::map<std::string, std::set<unsigned>> epochs;
  for (const LogStatus& status : logs) {
    const std::string& origin = status.log.origin;
    const auto slash = origin.rfind('/');
    unsigned number = 0;
    std::from_chars(origin.data() + slash + 1, origin.data() + slash + 9, number);
    epochs[origin.substr(0, slash)].insert(number);
  }
  std::vector<std::string> missing;
  for (const auto& [node, numbers] : epochs)
    for (unsigned number = 1; number < *numbers.rbegin(); ++number)
      if (!numbers.contains(number)) missing.push_back(fmt::format("epoch {:08} of {} is missing", number, node));
  return missing;
}

}  // namespace

bool ArchiveStatus::is_sound() const { return problems.empty() && std::ranges::all_of(logs, &LogStatus::is_sound); }

ArchiveStatus status_of(const archive::Paths& paths, const StatusOptions& options) {
  ArchiveStatus status{paths, {}, {}};
  for (auto& log : archive::list_logs(paths.archive))
    status.logs.push_back(LogLook{paths, std::move(log), options}.run());
  status.problems = missing_epochs(status.logs);
  return status;
}

}  // namespace chancery::app
