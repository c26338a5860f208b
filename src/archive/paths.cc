#include "archive/paths.h"

#include <system_error>

namespace chancery::archive {
namespace {

namespace fs = std::filesystem;

// "demo/" and "demo" are the same folder, and ".index" must not become a file inside it. "." has no name to add to.
fs::path named(const fs::path& folder) {
  std::error_code error;
  fs::path full = fs::absolute(folder, error).lexically_normal();
  if (error) full = folder;
  return full.has_filename() ? full : full.parent_path();
}

fs::path beside(const fs::path& archive, const char* suffix) { return fs::path{archive} += suffix; }

}  // namespace

bool is_archive(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / "archive.json", error);
}

Paths paths_of(const fs::path& folder) {
  fs::path archive = named(folder);
  if (!is_archive(archive) && is_archive(archive / "archive")) archive /= "archive";
  return {archive, beside(archive, ".index"), beside(archive, ".keys"), beside(archive, ".state")};
}

}  // namespace chancery::archive
