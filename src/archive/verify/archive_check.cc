#include "archive/verify/archive_check.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "archive/verify/backup_check.h"
#include "archive/verify/log_check.h"
#include "merkle/decimal.h"

namespace chancery::verify {
namespace {

constexpr int kHistoryReadsMax = 10;  // a running gateway publishes once a second; reading takes milliseconds

bool is_name(std::string_view text) {  // site, node: [a-z0-9][a-z0-9.-]{0,62}
  const auto is_alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= 63 && is_alnum(text[0]) &&
         std::ranges::all_of(text, [&](char c) { return is_alnum(c) || c == '.' || c == '-'; });
}

bool is_digits(std::string_view text, std::size_t size) {
  return text.size() == size && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_epoch(std::string_view text) {  // 00000001-9f3ac2d1
  return text.size() == 17 && is_digits(text.substr(0, 8), 8) && text[8] == '-' &&
         text.find_first_not_of("0123456789abcdef", 9) == text.npos;
}

std::uint32_t number_of(std::string_view digits) {
  std::uint32_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

// "logs/site/node/epoch/rest" → {"site/node/epoch", "rest"}
std::optional<std::pair<std::string, std::string>> split_log_path(std::string_view path) {
  if (!path.starts_with("logs/")) return std::nullopt;
  path.remove_prefix(5);
  const auto site = path.find('/');
  const auto node = site == path.npos ? site : path.find('/', site + 1);
  const auto epoch = node == path.npos ? node : path.find('/', node + 1);
  if (epoch == path.npos || !is_name(path.substr(0, site)) || !is_name(path.substr(site + 1, node - site - 1)) ||
      !is_epoch(path.substr(node + 1, epoch - node - 1)))
    return std::nullopt;
  return std::pair{std::string{path.substr(0, epoch)}, std::string{path.substr(epoch + 1)}};
}

// "torn/00000000-17.torn" → 17
std::optional<std::uint64_t> torn_index(std::string_view name) {
  if (!name.starts_with("torn/") || !name.ends_with(".torn") || name.size() < 5 + 9 + 1 + 5) return std::nullopt;
  name = name.substr(5, name.size() - 10);
  if (!is_digits(name.substr(0, 8), 8) || name[8] != '-') return std::nullopt;
  return merkle::parse_decimal(name.substr(9));
}

// Sorts one file of a log into its place; false: it has none.
bool place(LogFiles& files, const std::string& name) {
  if (name == "checkpoint" || name == "checkpoints") return true;
  if (name == "log.vkey") return files.has_key_file = true;
  const std::string_view view = name;
  if (view.starts_with("segments/") && view.size() > 17 && is_digits(view.substr(9, 8), 8)) {
    const std::uint32_t number = number_of(view.substr(9, 8));
    if (view.substr(17) == ".seg") return files.segments.insert(number), true;
    if (view.substr(17) == ".sheet") return files.sheets.insert(number), true;
    return false;
  }
  if (const auto index = torn_index(view)) return files.torn[name] = *index, true;
  if (const auto tile = merkle::parse_tile_path(view); tile && tile->level <= merkle::kTileLevelMax)
    return files.tiles[{tile->level, tile->index}].insert(tile->width), true;
  return false;
}

class ArchiveCheck {
 public:
  ArchiveCheck(ArchiveSource& source, const Anchors& anchors) : source_(source), anchors_(anchors) {}

  Report run() {
    if (!sort_files()) return std::move(report_);
    for (auto& [origin, input] : logs_) read_history_of(input);
    // A second listing: what the checkpoints cover was there when they were read.
    if (!sort_files()) return std::move(report_);
    for (const std::string& path : foreign_)
      report_.findings.push_back({Kind::foreign, "", std::nullopt, path, "a file that belongs to no known place"});
    check_archive_json();
    if (has_backup_) check_backup(source_, report_);
    check_epochs();
    std::map<std::string, std::vector<merkle::PublicKey>> vouched;  // by node; its logs come oldest first
    for (auto& [origin, input] : logs_) {
      input.archive_json = archive_json_;
      LogCheck{source_, anchors_, std::move(input), vouched[origin.substr(0, origin.rfind('/'))], report_}.run();
    }
    return std::move(report_);
  }

 private:
  bool sort_files() {
    const auto entries = source_.list();
    if (!entries) return report_.unreadable.push_back(entries.error().message()), false;
    for (auto& [origin, input] : logs_) input.files = {};
    foreign_.clear();
    for (const FileEntry& entry : *entries)
      if (!entry.is_regular || !sort_file(entry.path)) foreign_.push_back(entry.path);
    return true;
  }

  bool sort_file(std::string path) {
    // An unfinished creation (docs/formats/journal.md): nothing refers to it, and the next start removes it.
    const bool is_unfinished = path.ends_with(".new");
    if (is_unfinished) path.resize(path.size() - 4);
    if (path == "archive.json") return true;
    if (path == "backup.json") return has_backup_ |= !is_unfinished, true;
    const auto parts = split_log_path(path);
    if (!parts) return false;
    LogFiles scratch;
    LogInput& input = logs_[parts->first];
    input.origin = parts->first;
    return place(is_unfinished ? scratch : input.files, parts->second);
  }

  std::optional<Buffer> read(const std::string& path) {
    auto octets = source_.read(path);
    if (octets) return std::move(*octets);
    if (octets.error() != std::errc::no_such_file_or_directory)
      report_.unreadable.push_back(path + ": " + octets.error().message());
    return std::nullopt;
  }

  void read_history_of(LogInput& input) {
    const std::string folder = "logs/" + input.origin + "/";
    for (int i = 0; i < kHistoryReadsMax; ++i) {
      input.history.newest = read(folder + "checkpoint");
      input.history.history = read(folder + "checkpoints");
      input.history.unfinished = read(folder + "checkpoint.new");
      if (!read_history(input.history, input.origin).finding || read(folder + "checkpoint") == input.history.newest)
        return;
    }
  }

  void check_archive_json() {
    const auto octets = read("archive.json");
    if (octets)
      archive_json_ = merkle::sha256(*octets);
    else if (!logs_.empty())
      report_.findings.push_back({Kind::removed, "", std::nullopt, "archive.json", "archive.json is missing"});
  }

  // Epochs of a node count up from 1; a log that an anchor names must be there.
  void check_epochs() {
    std::map<std::string, std::set<std::uint32_t>> epochs;
    for (const auto& [origin, input] : logs_) {
      const auto slash = origin.rfind('/');
      epochs[origin.substr(0, slash)].insert(number_of(std::string_view{origin}.substr(slash + 1, 8)));
    }
    for (const auto& [node, numbers] : epochs)
      for (std::uint32_t number = 1; number < *numbers.rbegin(); ++number)
        if (!numbers.contains(number))
          report_.findings.push_back({Kind::removed, fmt::format("{}/{:08}", node, number), std::nullopt, "",
                                      "a later epoch of this node is here, this one is missing"});
    for (const HeldCheckpoint& held : anchors_.since)
      if (!logs_.contains(held.origin))
        report_.findings.push_back(
            {Kind::removed, held.origin, 0, "",
             fmt::format("a checkpoint from outside covers {} records of this log, and it is not here",
                         held.head.size)});
  }

  ArchiveSource& source_;
  const Anchors& anchors_;
  Report report_;
  std::map<std::string, LogInput> logs_;
  std::vector<std::string> foreign_;
  std::optional<Hash> archive_json_;
  bool has_backup_ = false;
};

}  // namespace

Report verify_archive(ArchiveSource& source, const Anchors& anchors) { return ArchiveCheck{source, anchors}.run(); }

}  // namespace chancery::verify
