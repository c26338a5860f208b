#include "archive/logs.h"

#include <algorithm>
#include <fmt/format.h>

namespace chancery::archive {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> folders_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.is_directory(error)) names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

// docs/formats/archive.md: eight decimal digits, a hyphen, eight hex digits.
bool is_epoch(std::string_view name) {
  const auto all = [](std::string_view part, std::string_view of) {
    return part.find_first_not_of(of) == std::string_view::npos;
  };
  return name.size() == 17 && name[8] == '-' && all(name.substr(0, 8), "0123456789") &&
         all(name.substr(9), "0123456789abcdef");
}

bool has_writer(const fs::path& node_folder) {
  const auto lock = journal::posix_disk().lock(node_folder.string());
  return !lock && lock.error() == std::errc::resource_unavailable_try_again;
}

void list_node(const fs::path& node_folder, const std::string& name, std::vector<Log>& logs) {
  auto epochs = folders_in(node_folder);
  std::erase_if(epochs, [](const std::string& epoch) { return !is_epoch(epoch); });
  for (const auto& epoch : epochs) {
    const bool newest = epoch == epochs.back();
    logs.push_back({name + "/" + epoch, (node_folder / epoch).string(), !newest || !has_writer(node_folder)});
  }
}

}  // namespace

std::vector<Log> list_logs(const fs::path& archive) {
  std::vector<Log> logs;
  const fs::path root = archive / "logs";
  for (const auto& site : folders_in(root))
    for (const auto& node : folders_in(root / site)) list_node(root / site / node, site + "/" + node, logs);
  return logs;
}

std::vector<std::string> origins_of(const std::vector<Log>& logs) {
  std::vector<std::string> origins;
  origins.reserve(logs.size());
  for (const auto& log : logs) origins.push_back(log.origin);
  return origins;
}

std::expected<journal::Reader, std::string> open_reader(const Log& log, journal::KeyStore* keys) {
  auto reader = journal::Reader::open(journal::posix_disk(), log.folder, keys);
  if (!reader) return std::unexpected(fmt::format("log {} cannot be read: {}", log.origin, reader.error().message()));
  // Also beside a writer: up to the last whole group, as the next start would recover it. What the newest group header
  // says was durable lags by that group, for as long as nobody says anything more.
  reader->set_limit_none();
  return *std::move(reader);
}

std::string describe(const Log& log, const journal::Reader& reader, std::error_code error) {
  const std::string where = reader.where().empty() ? "" : " (" + reader.where() + ")";
  return fmt::format("log {} cannot be read further: {}{}", log.origin, error.message(), where);
}

}  // namespace chancery::archive
