// The decider over a flow cut from the input: one octet of flags, then parts of a length octet each, to either side.
#include <cstdlib>
#include <vector>

#include "sensor/classify/decider.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace chancery;
  using namespace chancery::sensor;
  if (size < 2) return 0;
  const Bytes input{reinterpret_cast<const char*>(data), size};
  DeciderOptions options;
  options.ndpi = false;  // fuzzed by its own project
  options.learned.addresses_max = options.learned.sockets_max = 64;
  const auto decider = make_decider(options);
  FlowStart flow;
  flow.transport = (data[0] & 1) != 0 ? Transport::udp : Transport::tcp;
  flow.midstream = (data[0] & 2) != 0;
  flow.server.port = (data[0] & 4) != 0 ? 53 : 4000;
  flow.client.port = 40'000;
  Buffer sides[2];
  std::vector<Datagram> datagrams;
  for (std::size_t at = 1; at < size && datagrams.size() < kDatagramsMax;) {
    const bool server = (data[at] & 1) != 0;
    const Bytes part = input.substr(at + 1, static_cast<std::size_t>(data[at]) * 4);
    at += 1 + part.size();
    sides[server ? 1 : 0] += part;
    datagrams.push_back({server ? Side::server : Side::client, part, flow.now});
    flow.client_octets = sides[0];
    flow.server_octets = sides[1];
    flow.datagrams = datagrams;
    const Opinion opinion = decider->classify(nullptr, flow, at >= size);
    if (opinion.state != Opinion::State::named) continue;
    if (opinion.named.application.empty() || opinion.named.evidence.empty()) std::abort();
    decider->watched(flow.client, flow.server, datagrams.back());
    break;
  }
  return 0;
}
