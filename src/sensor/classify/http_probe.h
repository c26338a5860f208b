#pragma once
// IM and P2P inside HTTP: gateways of old messengers, BOSH (XEP-0124, XEP-0206), XMPP and others over WebSocket
// (RFC 7395), Matrix, web chat servers that a company runs itself, trackers, and clients that say who they are.
#include <optional>

#include "sensor/classify/probe.h"
#include "sensor/meta/http.h"

namespace chancery::sensor {

// `octets`: the request's head and what was seen of its body. Does not look at the host.
std::optional<Finding> probe_http(const HttpHead& request, Bytes octets, const HttpHead& response);

}  // namespace chancery::sensor
