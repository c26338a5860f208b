#include "config/policy_file.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <unistd.h>

namespace chancery::config {

namespace fs = std::filesystem;

std::string read_text(const fs::path& file) {
  std::error_code error;
  if (fs::is_directory(file, error))
    throw std::system_error(std::make_error_code(std::errc::is_a_directory), file.string());
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::system_error(errno, std::generic_category(), file.string());
  if (fs::file_size(file, error) > yaml::kTextSizeMax && !error)
    throw yaml::Error(file.string(), 0, "", fmt::format("larger than {} octets", yaml::kTextSizeMax));
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (in.bad()) throw std::system_error(EIO, std::generic_category(), file.string());
  return text;
}

std::optional<Buffer> PolicyCache::load(std::string_view key) {
  if (folder_.empty()) return std::nullopt;
  std::ifstream in(folder_ / key, std::ios::binary);
  if (!in) return std::nullopt;
  return Buffer{std::istreambuf_iterator<char>{in}, {}};
}

void PolicyCache::store(std::string_view key, Bytes octets) {
  if (folder_.empty()) return;
  std::error_code ignored;
  fs::create_directories(folder_, ignored);
  const auto aside = folder_ / fmt::format(".{}.{}", key, getpid());
  {
    std::ofstream out(aside, std::ios::binary | std::ios::trunc);
    out.write(octets.data(), static_cast<std::streamsize>(octets.size()));
    out.close();
    if (!out) {
      fs::remove(aside, ignored);
      return;
    }
  }
  fs::rename(aside, folder_ / key, ignored);
  prune();
}

void PolicyCache::prune() const {
  std::error_code ignored;
  std::vector<std::pair<fs::file_time_type, fs::path>> kept;
  for (const auto& entry : fs::directory_iterator(folder_, ignored))
    if (entry.path().filename().native().starts_with("lexicon-"))
      kept.emplace_back(entry.last_write_time(ignored), entry.path());
  if (kept.size() <= kKeptMax) return;
  std::ranges::sort(kept);
  for (std::size_t i = 0; i + kKeptMax < kept.size(); ++i) fs::remove(kept[i].second, ignored);
}

std::shared_ptr<const policy::Policy> load_policy(const fs::path& file, const fs::path& state) {
  if (file.empty()) return policy::forward_everything();
  PolicyCache cache(state.empty() ? fs::path{} : state / "policy-cache");
  return policy::compile(read_text(file), file.string(), &cache);
}

}  // namespace chancery::config
