#pragma once
// Records that the golden files under testdata/ hold. Never change one: add another.
#include "event/record.h"

namespace chancery::testing {

template <class AnyId>
AnyId id_of(std::uint8_t first) {
  AnyId id;
  for (std::size_t i = 0; i < id.octets.size(); ++i) id.octets[i] = static_cast<std::uint8_t>(first + i);
  return id;
}

// A chat message as most are: one body, no rule matched.
Record chat_message();
// One that uses every field there is for an event: room, action, languages, redaction, files, secrets.
Record full_message();
// Two deliveries of record 7.
Record two_deliveries();
// A session's end, with counters.
Record session_end();
// A message that a sensor saw go by.
Record seen_message();

}  // namespace chancery::testing
