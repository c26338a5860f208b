#include "archive/verify/backup_check.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/encoding.h"
#include "merkle/decimal.h"
#include "merkle/hash.h"

namespace chancery::verify {
namespace {

constexpr std::string_view kDigest = ",\"sha256\":\"";

// The manifest ends in `,"sha256":"<64 hex>"}` and a newline: the digest of all octets before that comma.
bool is_whole(const Buffer& octets) {
  const auto at = octets.rfind(kDigest);
  if (at == Buffer::npos) return false;
  const Hash hash = merkle::sha256(Bytes{octets}.substr(0, at));
  return octets.substr(at) == std::string{kDigest} + to_hex(bytes_of(hash)) + "\"}\n";
}

struct Listed {
  std::string path;
  std::uint64_t size = 0;
  std::string sha256;  // hex
};

// The octets between `begin`, taken off the front, and the next `end`, which stays. nullopt: `begin` is not there.
std::optional<std::string_view> take(std::string_view& text, std::string_view begin, char end) {
  if (!text.starts_with(begin)) return std::nullopt;
  text.remove_prefix(begin.size());
  const auto at = std::min(text.find(end), text.size());
  const auto value = text.substr(0, at);
  text.remove_prefix(at);
  return value;
}

// docs/formats/archive.md, "backup.json": one spelling only, and no name in an archive needs an escape.
std::optional<std::vector<Listed>> read_list(std::string_view text) {
  constexpr std::string_view kFiles = "\"files\":[";
  const auto begin = text.find(kFiles);
  if (begin == text.npos) return std::nullopt;
  text.remove_prefix(begin + kFiles.size());
  std::vector<Listed> list;
  while (!text.starts_with(']')) {
    if (!list.empty() && !std::exchange(text, text.substr(text.starts_with(',') ? 1 : 0)).starts_with(','))
      return std::nullopt;
    const auto path = take(text, "{\"path\":\"", '"');
    const auto size = path ? take(text, "\",\"size\":", ',') : std::nullopt;
    const auto hash = size ? take(text, ",\"sha256\":\"", '"') : std::nullopt;
    const auto number = size ? merkle::parse_decimal(*size) : std::nullopt;
    if (!hash || !number || !text.starts_with("\"}")) return std::nullopt;
    text.remove_prefix(2);
    list.push_back({std::string{*path}, *number, std::string{*hash}});
  }
  return list;
}

// The log that a path lies in, "" for none: "logs/a/b/c/checkpoint" → "a/b/c".
std::string log_of(const std::string& path) {
  constexpr std::string_view kLogs = "logs/";
  if (!path.starts_with(kLogs)) return {};
  auto end = kLogs.size();
  for (int i = 0; i < 3 && end != std::string::npos; ++i) end = path.find('/', end + (i == 0 ? 0 : 1));
  return end == std::string::npos ? "" : path.substr(kLogs.size(), end - kLogs.size());
}

// A restored archive's gateway begins a new epoch, so what was copied never changes again.
void check_file(ArchiveSource& source, const Listed& listed, Report& report) {
  const auto octets = source.read(listed.path);
  if (!octets && octets.error() == std::errc::no_such_file_or_directory)
    report.findings.push_back({Kind::removed, log_of(listed.path), std::nullopt, listed.path,
                               "it is in the copy's list (backup.json), and is not here"});
  else if (!octets)
    report.unreadable.push_back(listed.path + ": " + octets.error().message());
  else if (octets->size() != listed.size || to_hex(bytes_of(merkle::sha256(*octets))) != listed.sha256)
    report.findings.push_back({Kind::altered, log_of(listed.path), std::nullopt, listed.path,
                               "it is not what the copy's list (backup.json) says was copied"});
}

}  // namespace

void check_backup(ArchiveSource& source, Report& report) {
  const auto octets = source.read("backup.json");
  if (!octets)
    report.unreadable.push_back("backup.json: " + octets.error().message());
  else if (const auto list = is_whole(*octets) ? read_list(*octets) : std::nullopt)
    for (const Listed& listed : *list) check_file(source, listed, report);
  else
    report.findings.push_back(
        {Kind::altered, "", std::nullopt, "backup.json", "the copy's manifest is not what was written"});
}

}  // namespace chancery::verify
