#pragma once
// A whole archive: every file has its place, every log holds, no log is missing that should be there.
#include "archive/verify/anchors.h"
#include "archive/verify/report.h"
#include "archive/verify/source.h"

namespace chancery::verify {

Report verify_archive(ArchiveSource& source, const Anchors& anchors);

}  // namespace chancery::verify
