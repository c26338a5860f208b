#pragma once
// For tests: rows of traffic in one line each.
#include "sensor/enforce/network.h"
#include "sensor/enforce/seen.h"

namespace chancery::sensor::testing {

inline Instant at(std::int64_t seconds) { return from_unix_ns(seconds * 1'000'000'000); }

struct Row {
  std::string client = "10.0.0.5", server = "198.51.100.7";
  std::uint16_t port = 5222;
  std::string application = "Jabber";
  Category category = Category::im;
  std::string host = {};
  Transport transport = Transport::tcp;
  bool managed = false;
  std::uint64_t flows = 1;
};

inline Seen seen(const Row& row) {
  return {.client = *parse_address(row.client),
          .server = {*parse_address(row.server), row.port},
          .transport = row.transport,
          .application = row.application,
          .category = row.category,
          .host = row.host,
          .evidence = "payload: " + row.application,
          .managed = row.managed,
          .first = at(1'000),
          .last = at(2'000),
          .flows = row.flows,
          .bytes = 1'000 * row.flows};
}

}  // namespace chancery::sensor::testing
