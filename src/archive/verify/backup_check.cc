#include "archive/verify/backup_check.h"

#include "core/encoding.h"
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

}  // namespace

void check_backup(ArchiveSource& source, Report& report) {
  const auto octets = source.read("backup.json");
  if (!octets)
    report.unreadable.push_back("backup.json: " + octets.error().message());
  else if (!is_whole(*octets))
    report.findings.push_back(
        {Kind::altered, "", std::nullopt, "backup.json", "the copy's manifest is not what was written"});
}

}  // namespace chancery::verify
