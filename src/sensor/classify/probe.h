#pragma once
// Payload probes: each recognises one application from the begin of a flow, by a rule that is stated beside it with
// its source. Pure functions. A probe that does not know says nothing; it is asked again when more was seen. What a
// probe says is decisive, so each rule must be one that other traffic does not meet by chance: about one flow of
// random octets in 2^32, or the comment says what else it costs (docs/guide/sensor-classification.md).
#include <optional>
#include <span>
#include <string_view>

#include "sensor/classify/classifier.h"

namespace chancery::sensor {

struct Finding {
  std::string_view application;  // all static storage
  Category category = Category::other;
  std::string_view evidence;  // what was seen: "payload: …", "behaviour: …"
  std::string_view reader{};
  bool swapped = false;
};

using Probe = std::optional<Finding> (*)(const FlowStart&);

// Those of the codecs in codec/registry.h, by their own probes: XMPP, IRC, OSCAR, MSNP, YMSG, TOC, Gadu-Gadu, …
std::optional<Finding> probe_codecs(const FlowStart& flow);

// Today's messengers with a protocol of their own.
std::span<const Probe> messenger_stream_probes();
std::span<const Probe> messenger_datagram_probes();

// Peer to peer.
std::span<const Probe> peer_stream_probes();
std::span<const Probe> peer_datagram_probes();

}  // namespace chancery::sensor
