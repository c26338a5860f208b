#pragma once
// What the gateway counts for metrics. Plain numbers of the loop's thread; gateway/metrics.h shows them.
#include <cstdint>

#include "event/record.h"

namespace chancery::gateway {

struct Stats {
  std::uint64_t connections = 0;           // now
  std::uint64_t accepted = 0;              // connections, ever
  std::uint64_t over_limit = 0;            // connections turned away by a limit
  std::uint64_t handshakes_failed = 0;     // PROXY header or TLS of a client
  std::uint64_t sign_ins_late = 0;         // Limits::sign_in_seconds
  std::uint64_t idle_ended = 0;            // Limits::idle_seconds
  std::uint64_t stalled_ended = 0;         // Limits::send_stall_seconds
  std::uint64_t protocol_errors = 0;       // a peer broke the protocol
  std::uint64_t upstream_unreachable = 0;  // no connection, or its TLS failed
  std::uint64_t upstream_lost = 0;         // it went without goodbye
  std::uint64_t matched = 0;               // later legs told from new messages
  std::uint64_t deliveries_lost = 0;       // deliveries that could not be recorded
  std::uint64_t records = 0;               // appended
  std::uint64_t unrecorded = 0;            // events that passed unrecorded (forward-and-alarm)
  std::uint64_t journal_full = 0;          // times that a session had to wait for the journal's queue
  std::uint64_t notices = 0;               // shown
  std::uint64_t reloads = 0;
  std::uint64_t reloads_refused = 0;
  Counters events;  // all sessions; read is the sum of the others
};

}  // namespace chancery::gateway
