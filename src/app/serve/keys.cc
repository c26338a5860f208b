#include "app/serve/keys.h"

#include <cstdlib>
#include <fmt/format.h>

#include "app/context.h"

namespace chancery::app {

// systemd.exec(5), "CREDENTIALS".
std::string credential_file() {
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr) return {};
  const std::filesystem::path file = std::filesystem::path{folder} / "chancery-master-key";
  std::error_code error;
  return std::filesystem::exists(file, error) ? file.string() : std::string{};
}

journal::KeyStore open_keys(const std::filesystem::path& folder) {
  auto keys = journal::KeyStore::open(journal::posix_disk(), folder.string(), credential_file());
  if (keys) return *std::move(keys);
  if (keys.error() == journal::KeyStoreError::missing)
    throw Failure(
        fmt::format("there is no key store {0}: without it message bodies cannot be read. If it lies elsewhere, name "
                    "it with --keys; for a new archive `chancery keys create --keys {0}` makes one",
                    folder.string()));
  throw Failure(fmt::format("the key store {} cannot be opened: {}", folder.string(), keys.error().message()));
}

}  // namespace chancery::app
