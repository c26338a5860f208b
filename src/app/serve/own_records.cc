#include "app/serve/own_records.h"

#include <fmt/format.h>

#include "event/record.h"
#include "journal/file.h"

namespace chancery::app::serve {
namespace {

constexpr std::uint64_t kCheckpointSizeMax = 64U << 10;  // octets

Buffer encode_own(Kind kind, std::string detail, const journal::OwnRecord& own) {
  Record record;
  record.time = own.time;
  record.protocol = "chancery";
  record.conversation = own.conversation;
  record.conversation_sequence = own.conversation_sequence;
  record.event.kind = kind;
  record.event.scope = Scope::network;
  record.event.detail = std::move(detail);
  return encode(record);
}

}  // namespace

std::string_view in_words(journal::EpochReason reason) {
  switch (reason) {
    case journal::EpochReason::first:
      return "the first log of this node in this archive";
    case journal::EpochReason::state_missing:
      return "the archive was used before, but this node has no memory of it";
    case journal::EpochReason::rolled_back:
      return "the archive holds less than this node had made durable";
    case journal::EpochReason::forked:
      return "the archive holds something else than this node wrote";
    case journal::EpochReason::restored:
      return "the archive was restored from a backup";
  }
  return "unknown";
}

Buffer epoch_record(const std::string& archive, const journal::NewEpoch& epoch, const journal::OwnRecord& own) {
  std::string detail = fmt::format("log {} begins: {}", epoch.origin, in_words(epoch.reason));
  if (epoch.previous_origin) {
    detail +=
        fmt::format("; continues {}, of which {} records were known", *epoch.previous_origin, epoch.previous_size);
    const auto checkpoint =
        journal::read_file(journal::posix_disk(), journal::log_folder(archive, *epoch.previous_origin) + "/checkpoint",
                           kCheckpointSizeMax);
    if (checkpoint) detail += "; its last known checkpoint is:\n" + *checkpoint;
  }
  return encode_own(Kind::epoch, std::move(detail), own);
}

Buffer gap_record(const journal::TornTail& torn, const journal::OwnRecord& own) {
  return encode_own(
      Kind::gap,
      fmt::format("unclean end: {} octets of an unfinished group in segment {}, from record {} on, were never "
                  "confirmed to anyone; kept in {}",
                  torn.size, torn.segment, torn.first_index, torn.path),
      own);
}

Buffer key_record(std::string detail, const journal::OwnRecord& own) {
  return encode_own(Kind::key_change, std::move(detail), own);
}

}  // namespace chancery::app::serve
