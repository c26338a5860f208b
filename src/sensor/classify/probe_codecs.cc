#include <algorithm>
#include <array>

#include "codec/registry.h"
#include "sensor/classify/probe.h"
#include "sensor/meta/http.h"

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

// RFC 2812 §3.1, RFC 2813 §4.1, IRCv3, HAProxy's PROXY: what a client's or a server's first line may be.
bool opens_irc(Bytes client) {
  static constexpr std::array<Bytes, 20> kFirst{
      "PASS", "NICK", "USER",    "CAP",    "WEBIRC", "AUTHENTICATE", "STARTTLS", "PING",    "PONG",  "JOIN",
      "PART", "MODE", "PRIVMSG", "TAGMSG", "QUIT",   "SERVER",       "PROTOCTL", "SERVICE", "PROXY", "OPER"};
  const std::size_t begin = std::min(client.find_first_not_of(" \r\n"), client.size());
  const Bytes line = client.substr(begin, client.find_first_of("\r\n", begin) - begin);
  if (line.empty() || line.front() == '@' || line.front() == ':') return true;
  const Bytes word = line.substr(0, line.find(' '));
  return std::ranges::any_of(kFirst, [&](Bytes first) { return equals_ignoring_case(first, word); });
}

bool opens_xml(Bytes octets) {
  const std::size_t begin = octets.find_first_not_of(" \t\r\n");
  return begin == Bytes::npos || octets[begin] == '<';
}

// What was seen from its first octet on begins like the protocol: words of it further down are another one's content
// (a store that is given lines of chat).
bool begins_so(Bytes protocol, const FlowStart& flow) {
  if (flow.midstream || flow.transport == Transport::udp) return true;
  const Bytes client = flow.client_gap ? Bytes{} : flow.client_octets;
  const Bytes server = flow.server_gap ? Bytes{} : flow.server_octets;
  if (protocol == "xmpp") return opens_xml(client) && opens_xml(server);
  return protocol != "irc" || opens_irc(client);
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
    if (!begins_so(known.protocol, flow) || !fits(*protocol, flow, known, swapped)) continue;
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
