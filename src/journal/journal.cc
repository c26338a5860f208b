#include "journal/journal.h"

namespace chancery::journal {

std::expected<std::uint64_t, std::error_code> Journal::append(Entry&& entry) {
  const auto index = stage(std::move(entry));
  hand_over();
  return index;
}

Appended Journal::append(std::span<Entry> entries) {
  Appended done;
  for (Entry& entry : entries) {
    const auto index = stage(std::move(entry));
    if (!index) {
      done.error = index.error();
      break;
    }
    if (done.count++ == 0) done.first = *index;
    done.last = *index;
  }
  hand_over();
  return done;
}

}  // namespace chancery::journal
