#pragma once
// The policy on disk, and the cache that spares the slow compilation of long lexicons.
#include <filesystem>
#include <memory>
#include <string>

#include "policy/compile.h"

namespace chancery::config {

// Compiled databases in a folder, one file a key. Files appear whole (written aside, then renamed); the newest
// kKeptMax stay. Nothing here ever fails a start: what cannot be read or written is built anew.
class PolicyCache : public policy::Cache {
 public:
  static constexpr std::size_t kKeptMax = 8;

  // The folder is made when something is stored. Empty path: nothing is kept.
  explicit PolicyCache(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::optional<Buffer> load(std::string_view key) override;
  void store(std::string_view key, Bytes octets) override;

 private:
  void prune() const;
  std::filesystem::path folder_;
};

// The whole file. Throws std::system_error naming it, or yaml::Error when it is larger than yaml::kTextSizeMax.
std::string read_text(const std::filesystem::path& file);

// The policy in `file`, with databases kept in `state`/policy-cache; `file` empty: a policy that forwards everything.
// Throws yaml::Error or std::system_error.
std::shared_ptr<const policy::Policy> load_policy(const std::filesystem::path& file,
                                                  const std::filesystem::path& state);

}  // namespace chancery::config
