#pragma once
// Where the parts of an archive lie; docs/formats/archive.md.
#include <filesystem>

namespace chancery::archive {

struct Paths {
  std::filesystem::path archive;  // evidence only
  std::filesystem::path index;    // ARCHIVE.index: derived, readable text
  std::filesystem::path keys;     // ARCHIVE.keys: the key store
  std::filesystem::path state;    // ARCHIVE.state: locks, sockets, last known position
};

// The places that belong to `folder`: an archive, or the folder of `chancery up` whose `archive/` is meant. A folder
// that is neither (empty, or not there) is taken for an archive.
Paths paths_of(const std::filesystem::path& folder);

// Whether archive.json is there. Says nothing of what is in it.
bool is_archive(const std::filesystem::path& folder);

}  // namespace chancery::archive
