#include "archive/reindex.h"

#include <fmt/format.h>

#include "archive/indexer.h"

namespace chancery::archive {
namespace {

using Body = journal::ReadRecord::Body;

std::string no_key(const Log& log, std::uint64_t index) {
  return fmt::format(
      "record {}#{} cannot be read: the key that seals it is not in the key store. Name the right one "
      "with --keys.",
      log.origin, index);
}

}  // namespace

bool belongs_to(const LogIndexWriter& writer, journal::Reader& reader) {
  if (writer.complete_to() == 0) return true;
  const auto record = reader.at(writer.complete_to() - 1);
  return record && writer.last_leaf() == record->leaf_octets;
}

std::expected<Reindexed, std::string> catch_up(LogIndexWriter& writer, const Log& log, journal::Reader& reader,
                                               const std::function<bool(std::uint64_t)>& progress) {
  Reindexed done;
  reader.seek(writer.complete_to());
  while (true) {
    auto record = reader.next();
    if (!record) {
      writer.commit();
      return std::unexpected(describe(log, reader, record.error()));
    }
    if (!*record) break;
    if ((*record)->body == Body::sealed) {
      writer.commit();
      return std::unexpected(no_key(log, (*record)->index));
    }
    ++done.records;
    if ((*record)->body == Body::clear) {
      if (!index_payload(writer, (*record)->payload, (*record)->leaf.time, (*record)->leaf_octets)) ++done.unreadable;
    } else {
      writer.skip((*record)->leaf.time, (*record)->leaf_octets);
      if ((*record)->body == Body::erased) ++done.unreadable;
    }
    if (writer.pending() < kIndexBatchRecordsMax) continue;
    writer.commit();
    if (!progress(writer.complete_to())) return done;
  }
  writer.commit();
  progress(writer.complete_to());
  return done;
}

}  // namespace chancery::archive
