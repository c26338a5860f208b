#pragma once
// backup.json, the manifest in a copy made by `archive backup`; docs/formats/archive.md.
#include "archive/verify/report.h"
#include "archive/verify/source.h"

namespace chancery::verify {

// The manifest must be whole, and every file that it lists must be here as it was copied. More files may be: a restored
// archive is written on, in a new epoch.
void check_backup(ArchiveSource& source, Report& report);

}  // namespace chancery::verify
