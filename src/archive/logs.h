#pragma once
// The logs of an archive folder, and readers over them.
#include <expected>
#include <string>
#include <vector>

#include "archive/paths.h"
#include "journal/keystore.h"
#include "journal/reader.h"

namespace chancery::archive {

struct Log {
  std::string origin;  // "site/node/epoch"
  std::string folder;  // ARCHIVE/logs/<origin>
  // No process can be writing it: a later epoch of its node exists, or no one holds the node's lock.
  bool at_rest = false;
};

// In the order of their names: of one node, oldest epoch first. Folders that cannot be logs are left out.
std::vector<Log> list_logs(const std::filesystem::path& archive);
std::vector<std::string> origins_of(const std::vector<Log>& logs);

// A reader up to the last whole group, also beside a writer. `keys` may be null. The error is a sentence.
std::expected<journal::Reader, std::string> open_reader(const Log& log, journal::KeyStore* keys);

// A sentence for an error of `reader`.
std::string describe(const Log& log, const journal::Reader& reader, std::error_code error);

}  // namespace chancery::archive
