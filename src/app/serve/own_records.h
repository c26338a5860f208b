#pragma once
// The records that opening a log writes about itself, encoded for journal::Options.
#include <string>

#include "core/bytes.h"
#include "journal/open.h"

namespace chancery::app::serve {

// Kind::epoch: why this log begins and which log, at which checkpoint, it continues. `archive`: to read the old one's
// checkpoint from.
Buffer epoch_record(const std::string& archive, const journal::NewEpoch& epoch, const journal::OwnRecord& own);

// Kind::gap: an unclean end, and where what was unfinished is kept.
Buffer gap_record(const journal::TornTail& torn, const journal::OwnRecord& own);

// Kind::key_change.
Buffer key_record(std::string detail, const journal::OwnRecord& own);

// "the first log of this node in this archive", …
std::string_view in_words(journal::EpochReason reason);

}  // namespace chancery::app::serve
