#pragma once
// backup.json, the manifest in a copy made by `archive backup`; docs/formats/archive.md.
#include "archive/verify/report.h"
#include "archive/verify/source.h"

namespace chancery::verify {

void check_backup(ArchiveSource& source, Report& report);

}  // namespace chancery::verify
