#pragma once
// What block lists are made from: flows, summed up. One row is all flows of one client to one server and port under
// one name and application. A row without flows says that a DNS answer put `host` at this address. Rows come from
// untrusted traffic: names may be anything a peer wrote.
#include <cstdint>
#include <string>

#include "core/time.h"
#include "sensor/classify/classifier.h"
#include "sensor/packet/endpoint.h"

namespace chancery::sensor {

struct Seen {
  Address client;
  Endpoint server;
  Transport transport = Transport::tcp;
  std::string application;  // empty: could not be named
  Category category = Category::other;
  std::string host;      // the name the server was reached by (SNI, HTTP host, DNS); empty: none was seen
  std::string evidence;  // by what it was named
  bool managed = false;  // through the gateway, or to a server that is allowed
  Instant first, last;
  std::uint64_t flows = 0;
  std::uint64_t bytes = 0;
};

}  // namespace chancery::sensor
