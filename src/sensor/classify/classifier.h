#pragma once
// The contract between the flow table, which knows where a flow begins and what it carried, and the classifier, which
// says what it is. One classifier serves one capture thread; it owns no sockets, files, clocks or threads: time is the
// packets' own. What it is given is untrusted: it never throws and never keeps a view longer than the call.
//
// Life of a flow, as the classifier sees it:
//   open      the first packet that carries octets; it may make notes of its own for this flow (nDPI's state, say)
//   packet    that packet and each later one, as long as the flow is undecided: the whole IP packet, defragmented, in
//             order of arrival
//   classify  after each packet that brought new octets in order or a new datagram, as long as the flow is undecided;
//             a last time, with `last_chance`, when the flow ends, is evicted, or has shown as much as is kept
//   watched   each later datagram of a flow that was named with `Named::watch`
// The notes are destroyed as soon as the flow is decided.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/time.h"
#include "event/event.h"
#include "sensor/packet/endpoint.h"

namespace chancery::sensor {

enum class Category : std::uint8_t { im, p2p, voip, web_im, other };
constexpr std::string_view to_string(Category category) {  // as reports spell it
  switch (category) {
    case Category::im:
      return "im";
    case Category::p2p:
      return "p2p";
    case Category::voip:
      return "voip";
    case Category::web_im:
      return "web-im";
    case Category::other:
      break;
  }
  return "other";
}

enum class Transport : std::uint8_t { tcp, udp };
constexpr std::string_view to_string(Transport transport) { return transport == Transport::tcp ? "tcp" : "udp"; }

// How much of a flow's beginning is kept until it is decided; whatever comes first makes the last chance.
inline constexpr std::size_t kPrefixMax = 16 * 1024;          // octets of one direction of a TCP stream
inline constexpr std::size_t kDatagramsMax = 24;              // UDP
inline constexpr std::size_t kDatagramBytesMax = kPrefixMax;  // of all of them together
inline constexpr std::uint32_t kPacketsMax = 80;              // TCP packets, empty ones too (what nDPI needs at most)

// What kept a name from being seen, for the report.
enum class Cover : std::uint8_t { none, tls, quic, encrypted_hello };

struct Named {
  std::string application;  // one spelling for each; see docs/guide/sensor.md
  Category category = Category::other;
  std::string evidence;  // by what: "payload: OSCAR FLAP sign-on", "tls sni: web.whatsapp.com",
                         // "dns: 192.0.2.1 was mmg.whatsapp.net", "ndpi: BitTorrent (dpi)", "behaviour: …"
  std::string host;      // the name of the server that was seen (SNI, HTTP host, DNS); empty: none
  Cover cover = Cover::none;
  std::string_view reader;  // what reads it (static storage): the name of a codec in codec/registry.h, or one of the
                            // sensor's own readers (sensor/read/reader.h): "http", "winpopup", …; empty: not read
  bool swapped = false;     // what FlowStart calls the client is the server (seen in a stream joined midway)
  bool watch = false;       // UDP: `watched` wants the later datagrams too (DNS: each answer teaches addresses)
};

// One datagram of a UDP flow.
struct Datagram {
  Side from = Side::client;
  Bytes octets;
  Instant time;
};

// The beginning of a flow; a borrowed view that grows with each call until the flow is decided.
struct FlowStart {
  Transport transport = Transport::tcp;
  Endpoint client, server;                      // client: who sent the SYN; without one, a guess (see `midstream`)
  bool midstream = false;                       // TCP: no SYN was seen, so the sides may be the other way round
  Bytes client_octets, server_octets;           // TCP: reassembled, in order, at most kPrefixMax each
  bool client_gap = false, server_gap = false;  // TCP: octets are missing in front of what is shown (it began anew)
  std::span<const Datagram> datagrams;          // UDP: the first ones, in order of arrival
  Instant first, now;                           // of the first packet and of the newest
  std::uint32_t packets = 0;                    // so far, both directions
  std::uint64_t client_bytes = 0, server_bytes = 0;  // of payload, so far

  Bytes octets(Side side) const { return side == Side::client ? client_octets : server_octets; }
};

// What the classifier itself wants to remember of one flow.
class FlowNotes {
 public:
  virtual ~FlowNotes() = default;
};

// `unnamed` ends the asking as `named` does; it means that nothing more will help.
struct Opinion {
  enum class State : std::uint8_t { undecided, named, unnamed };
  State state = State::undecided;
  Named named;
};

class Classifier {
 public:
  virtual ~Classifier() = default;

  // May return null.
  virtual std::unique_ptr<FlowNotes> open(const FlowStart& /*start*/) { return nullptr; }

  // `ip_packet` begins with its IPv4 or IPv6 header; `notes` is what `open` returned.
  virtual void packet(FlowNotes* /*notes*/, Bytes /*ip_packet*/, Side /*from*/, Instant /*now*/) {}

  // With `last_chance`, `undecided` is taken as `unnamed`.
  virtual Opinion classify(FlowNotes* notes, const FlowStart& start, bool last_chance) = 0;

  virtual void watched(const Endpoint& /*client*/, const Endpoint& /*server*/, const Datagram& /*datagram*/) {}

  // Octets that its tables hold (learned addresses, …), bounded; notes not counted.
  virtual std::size_t memory() const { return 0; }
};

}  // namespace chancery::sensor
