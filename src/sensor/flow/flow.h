#pragma once
// One flow: all packets between two endpoints over one transport, until it ends or is forgotten.
#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "core/time.h"
#include "sensor/classify/classifier.h"
#include "sensor/flow/beginning.h"
#include "sensor/flow/stream.h"
#include "sensor/packet/endpoint.h"

namespace chancery::sensor {

// Reads what a flow carries, as soon as it is named. Untrusted octets: nothing throws.
class FlowReader {
 public:
  virtual ~FlowReader() = default;
  // TCP: the next octets of one side in order. UDP: one datagram. False: it wants no more.
  virtual bool octets(Side from, Bytes octets, Instant time) = 0;
  virtual void lost(Side from, std::uint32_t count) = 0;
  virtual void finished(Side from) = 0;
  virtual std::size_t memory() const = 0;
};

// What was found out about a flow; only named ones have it.
struct FlowName {
  std::uint16_t application = 0;  // FlowSink's own number
  Cover cover = Cover::none;
  std::string evidence;
  std::string host;
};

struct Traffic {
  std::uint64_t bytes = 0;    // of whole frames on the wire
  std::uint64_t payload = 0;  // behind the TCP or UDP header
  std::uint32_t packets = 0;
};

struct Flow {
  std::array<Endpoint, 2> ends;  // by Side
  Transport transport = Transport::tcp;
  bool midstream = false;  // TCP: no SYN was seen
  bool decided = false;    // named, or given up
  bool watch = false;      // UDP: the classifier wants the later datagrams
  bool reset = false;      // TCP: a RST was seen, or both FINs
  bool reader_done = false;
  std::array<bool, 2> fin_seen{};                        // TCP, once nothing is read any more
  std::uint8_t queue = 0;                                // which of the table's lists it is in
  std::uint32_t older = UINT32_MAX, newer = UINT32_MAX;  // in that list
  std::uint32_t tag = 0;                                 // of its hash
  Instant first, last;                                   // of its packets
  Instant seen;                                          // on the table's own clock, which never goes back
  std::array<Traffic, 2> traffic;                        // by the side that sent
  std::array<Stream, 2> streams;                         // TCP
  BeginningPtr beginning;                                // until it is decided
  std::unique_ptr<FlowReader> reader;
  std::unique_ptr<FlowName> name;

  const Endpoint& client() const { return ends[0]; }
  const Endpoint& server() const { return ends[1]; }
  std::uint64_t bytes() const { return traffic[0].bytes + traffic[1].bytes; }
  std::uint64_t packets() const { return std::uint64_t{traffic[0].packets} + traffic[1].packets; }
};

}  // namespace chancery::sensor
