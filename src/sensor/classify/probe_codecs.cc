#include <array>

#include "codec/registry.h"
#include "sensor/classify/probe.h"

namespace chancery::sensor {
namespace {

struct Known {
  std::string_view protocol;  // in codec/registry.h
  std::string_view application;
  Category category;
  std::string_view evidence;
  bool stream, datagram;
};

// The order is that of asking: protocols with a length and a magic first, those of lines last.
constexpr std::array kKnown = std::to_array<Known>({
    {"oscar", "OSCAR", Category::im, "payload: OSCAR FLAP frames", true, false},
    {"ymsg", "Yahoo Messenger", Category::im, "payload: YMSG header", true, false},
    {"gadu-gadu", "Gadu-Gadu", Category::im, "payload: Gadu-Gadu packets", true, false},
    {"toc", "OSCAR", Category::im, "payload: TOC commands in FLAP frames", true, false},
    {"winpopup", "WinPopup", Category::im, "payload: Messenger service call", true, true},
    {"xmpp", "Jabber", Category::im, "payload: XMPP stream or stanza", true, false},
    {"msnp", "MSN", Category::im, "payload: MSNP command", true, false},
    {"msrp", "MSRP", Category::im, "payload: MSRP request", true, false},
    {"sip", "SIP", Category::voip, "payload: SIP message", true, true},
    {"irc", "IRC", Category::im, "payload: IRC command", true, false},
});

std::optional<Side> side_that_fits(const Protocol& protocol, Bytes client, Bytes server, bool& swapped) {
  swapped = false;
  if (!client.empty() && protocol.probe(Side::client, client) == Likeness::yes) return Side::client;
  if (!server.empty() && protocol.probe(Side::server, server) == Likeness::yes) return Side::server;
  return std::nullopt;
}

// A SIP dialogue that carries text is messaging (RFC 3428), else it is a call's signalling.
bool has_sip_message(const FlowStart& flow) {
  const auto is = [](Bytes octets) {
    return octets.starts_with("MESSAGE sip") || octets.find("\nMESSAGE sip") != Bytes::npos;
  };
  for (const Datagram& datagram : flow.datagrams)
    if (is(datagram.octets)) return true;
  return is(flow.client_octets) || is(flow.server_octets);
}

bool fits(const Protocol& protocol, const FlowStart& flow, const Known& known, bool& swapped) {
  if (flow.transport == Transport::udp) {
    swapped = false;
    for (const Datagram& datagram : flow.datagrams)
      if (protocol.probe(datagram.from, datagram.octets) == Likeness::yes) return true;
    return false;
  }
  if (side_that_fits(protocol, flow.client_octets, flow.server_octets, swapped)) return known.stream;
  // Joined midway, the sides are a guess: what the "server" says may be the client's words.
  swapped = flow.midstream && side_that_fits(protocol, flow.server_octets, flow.client_octets, swapped).has_value();
  const bool found = swapped;
  return found && known.stream;
}

}  // namespace

std::optional<Finding> probe_codecs(const FlowStart& flow) {
  for (const Known& known : kKnown) {
    if (flow.transport == Transport::udp ? !known.datagram : !known.stream) continue;
    const Protocol* protocol = find_protocol(known.protocol);
    if (protocol == nullptr || protocol->probe == nullptr) continue;
    bool swapped = false;
    if (!fits(*protocol, flow, known, swapped)) continue;
    Finding finding{known.application, known.category, known.evidence, protocol->name, swapped};
    if (known.protocol == "sip" && has_sip_message(flow)) {
      finding.category = Category::im;
      finding.evidence = "payload: SIP MESSAGE";
    }
    return finding;
  }
  return std::nullopt;
}

}  // namespace chancery::sensor
