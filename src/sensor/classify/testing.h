#pragma once
// For tests: the begin of a flow, written as its octets.
#include <string>
#include <vector>

#include "sensor/classify/classifier.h"
#include "sensor/classify/probe.h"

namespace chancery::sensor {

inline Address v4(std::string_view four) { return Address::v4(four); }
template <std::size_t kSize>
Address v4(const char (&four)[kSize]) {  // a literal may hold zeros
  static_assert(kSize == 5);
  return Address::v4({four, 4});
}
inline Endpoint client_end(std::uint16_t port = 40'000) { return {v4("\x0a\x01\x02\x03"), port}; }
inline Endpoint server_end(std::uint16_t port = 4'000) { return {v4("\xc6\x33\x64\x07"), port}; }

class Begin {
 public:
  static Begin stream(std::string client, std::string server = {}, bool midstream = false) {
    Begin begin{Transport::tcp};
    begin.client_ = std::move(client);
    begin.server_ = std::move(server);
    begin.flow_.midstream = midstream;
    return begin;
  }
  static Begin datagrams(std::vector<std::pair<Side, std::string>> datagrams) {
    Begin begin{Transport::udp};
    begin.octets_ = std::move(datagrams);
    return begin;
  }

  Begin& from(Endpoint client) { return flow_.client = client, *this; }
  Begin& to(Endpoint server) { return flow_.server = server, *this; }
  Begin& at(Instant now) { return flow_.now = flow_.first = now, *this; }

  const FlowStart& flow() {
    flow_.client_octets = client_;
    flow_.server_octets = server_;
    views_.clear();
    for (const auto& [side, octets] : octets_) views_.push_back({side, octets, flow_.now});
    flow_.datagrams = views_;
    flow_.packets = static_cast<std::uint32_t>(octets_.size() + 2);
    flow_.client_bytes = client_.size();
    flow_.server_bytes = server_.size();
    return flow_;
  }

 private:
  explicit Begin(Transport transport) {
    flow_.transport = transport;
    flow_.client = client_end();
    flow_.server = server_end();
    flow_.first = flow_.now = from_unix_ns(1'700'000'000'000'000'000);
  }
  FlowStart flow_;
  std::string client_, server_;
  std::vector<std::pair<Side, std::string>> octets_;
  std::vector<Datagram> views_;
};

inline std::optional<Finding> ask_all(const FlowStart& flow) {
  if (auto finding = probe_codecs(flow)) return finding;
  const bool udp = flow.transport == Transport::udp;
  for (const auto probes : {udp ? messenger_datagram_probes() : messenger_stream_probes(),
                            udp ? peer_datagram_probes() : peer_stream_probes()})
    for (const Probe probe : probes)
      if (auto finding = probe(flow)) return finding;
  return std::nullopt;
}

}  // namespace chancery::sensor
