#include "sensor/classify/decider.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "sensor/classify/content.h"
#include "sensor/classify/ndpi.h"
#include "sensor/classify/peers.h"
#include "sensor/classify/probe.h"
#include "sensor/meta/dns.h"
#include "sensor/meta/http.h"
#include "sensor/meta/octets.h"
#include "sensor/meta/quic.h"
#include "sensor/meta/stun.h"

namespace chancery::sensor {
namespace {

constexpr std::uint16_t kDnsPort = 53;
constexpr std::string_view kTrackerEvidence = "http path: tracker request";
constexpr std::uint16_t kFirstFreePort = 1'024;
// What other flows taught is asked when the payload has had this much to say for itself.
constexpr std::size_t kOctetsBeforeMemory = 256;
constexpr std::size_t kDatagramsBeforeMemory = 4;

struct Notes final : FlowNotes {
  std::unique_ptr<Ndpi::Flow> ndpi;
  Buffer held;  // the newest packet: nDPI sees it only if our own reading of it decided nothing
  Instant held_time;
  std::optional<Proposal> proposal;
};

bool is_payload_evidence(const Named& named) {
  return named.evidence.starts_with("payload:") || named.evidence.starts_with("ndpi:");
}

// Applications whose names are compared and kept as views: those of the probes are static, others are looked up here.
std::string_view static_name(std::string_view application) {
  static constexpr std::array kNames{"BitTorrent", "Gnutella",          "eDonkey",   "FastTrack", "DirectConnect",
                                     "Manolito",   "Soulseek",          "Ares",      "Telegram",  "WhatsApp",
                                     "Signal",     "Skype_Teams",       "Discord",   "Viber",     "LINE",
                                     "IMO",        "FacebookMessenger", "TeamSpeak", "Zoom",      "GoogleCall"};
  for (const std::string_view name : kNames)
    if (name == application) return name;
  return {};
}

Named plain(std::string application, std::string evidence) {
  Named named;
  named.application = std::move(application);
  named.evidence = std::move(evidence);
  return named;
}

bool is_stun(const FlowStart& flow) {
  return std::ranges::any_of(flow.datagrams, [](const Datagram& d) { return parse_stun(d.octets).has_value(); });
}

class Decider final : public Classifier {
 public:
  explicit Decider(const DeciderOptions& options)
      : hosts_(*options.hosts),
        names_(options.learned),
        sockets_(options.learned),
        ndpi_(options.ndpi ? Ndpi::open() : nullptr) {}

  std::unique_ptr<FlowNotes> open(const FlowStart&) override { return ndpi_ ? std::make_unique<Notes>() : nullptr; }
  void packet(FlowNotes* notes, Bytes ip_packet, Side from, Instant now) override;
  Opinion classify(FlowNotes* notes, const FlowStart& flow, bool last_chance) override;
  void watched(const Endpoint& client, const Endpoint& server, const Datagram& datagram) override;
  std::size_t memory() const override { return names_.memory() + sockets_.memory(); }

 private:
  Opinion classify_stream(Notes* notes, const FlowStart& flow, bool last_chance);
  Opinion classify_silent(const FlowStart& flow);
  Opinion classify_datagrams(Notes* notes, const FlowStart& flow, bool last_chance);
  std::optional<Content> judge_dns(const FlowStart& flow);
  std::optional<Content> judge_quic(const FlowStart& flow, bool last_chance);

  std::optional<Named> by_ndpi(Notes* notes, bool last_chance);
  std::optional<Named> by_memory(const FlowStart& flow);
  std::optional<Named> by_name(const FlowStart& flow);
  std::optional<Named> by_socket(const FlowStart& flow);
  std::optional<Named> by_network(const FlowStart& flow);

  void learn_dns(const Address& client, const DnsMessage& message, Instant now);
  void learn_handshake(const FlowStart& flow, const std::string& name);
  void learn_socket(const FlowStart& flow, const Named& named);
  void learn_peers(const Endpoint& client, const Datagram& datagram);
  void learn_peer(const Endpoint& peer, Instant now);
  bool learn_tracker(const FlowStart& flow, bool last_chance);
  Opinion named(const FlowStart& flow, Named named);

  const Hosts& hosts_;
  LearnedNames names_;
  LearnedSockets sockets_;
  std::unique_ptr<Ndpi> ndpi_;
};

void Decider::packet(FlowNotes* notes, Bytes ip_packet, Side, Instant now) {
  constexpr std::size_t kHeldMax = 9'216;  // a jumbo frame; nDPI does without larger ones
  auto* own = static_cast<Notes*>(notes);
  if (own == nullptr || own->proposal) return;
  (void)by_ndpi(own, true);
  if (ip_packet.size() > kHeldMax) return;
  own->held = ip_packet;
  own->held_time = now;
}

// Gives nDPI the packet that was held back, and says what it thinks by now. With `flush` false the newest packet
// stays held.
std::optional<Named> Decider::by_ndpi(Notes* notes, bool flush) {
  if (notes == nullptr || !ndpi_) return std::nullopt;
  if (flush && !notes->held.empty() && !notes->proposal) {
    if (!notes->ndpi) notes->ndpi = ndpi_->flow();
    notes->proposal = ndpi_->packet(*notes->ndpi, notes->held, notes->held_time);
    notes->held.clear();
    if (notes->proposal) notes->ndpi.reset();
  }
  if (!notes->proposal) return std::nullopt;
  Named named;
  named.application = notes->proposal->application;
  named.category = notes->proposal->category;
  named.evidence = fmt::format("ndpi: {} (dpi)", named.application);
  return named;
}

Opinion Decider::classify(FlowNotes* notes, const FlowStart& flow, bool last_chance) {
  auto* own = static_cast<Notes*>(notes);
  return flow.transport == Transport::tcp ? classify_stream(own, flow, last_chance)
                                          : classify_datagrams(own, flow, last_chance);
}

Opinion Decider::named(const FlowStart& flow, Named named) {
  learn_socket(flow, named);
  return {Opinion::State::named, std::move(named)};
}

// A connection that carried nothing while it was watched still went somewhere.
Opinion Decider::classify_silent(const FlowStart& flow) {
  if (auto name = by_name(flow)) return {Opinion::State::named, std::move(*name)};
  if (auto owned = by_network(flow)) return {Opinion::State::named, std::move(*owned)};
  return {};
}

Opinion Decider::classify_stream(Notes* notes, const FlowStart& flow, bool last_chance) {
  const std::size_t seen = flow.client_octets.size() + flow.server_octets.size();
  if (seen == 0) return last_chance ? classify_silent(flow) : Opinion{};
  if (flow.client.port == kDnsPort || flow.server.port == kDnsPort) {
    const std::vector<DnsMessage> messages = parse_dns_stream(flow.server_octets);
    for (const DnsMessage& message : messages) learn_dns(flow.client.address, message, flow.now);
    if (!messages.empty()) return {Opinion::State::named, plain("DNS", "payload: DNS messages")};
  }
  Content content = judge_stream(flow, hosts_, last_chance);
  if (content.state == Content::State::wait) return {};
  if (!content.shown_name.empty()) learn_handshake(flow, content.shown_name);
  if (content.named.evidence == kTrackerEvidence && !learn_tracker(flow, last_chance)) return {};
  if (content.state == Content::State::named) return named(flow, std::move(content.named));
  const bool is_carrier = content.state == Content::State::carrier;
  if (!content.shared && (is_carrier || last_chance || seen >= kOctetsBeforeMemory))
    if (auto remembered = by_memory(flow)) {
      remembered->cover = content.named.cover;
      return named(flow, std::move(*remembered));
    }
  if (is_carrier) return {Opinion::State::named, std::move(content.named)};
  if (auto proposed = by_ndpi(notes, last_chance)) return named(flow, std::move(*proposed));
  if (last_chance)
    if (auto owned = by_network(flow)) return {Opinion::State::named, std::move(*owned)};
  return {};
}

std::optional<Content> Decider::judge_dns(const FlowStart& flow) {
  if (flow.server.port != kDnsPort && flow.client.port != kDnsPort) return std::nullopt;
  bool found = false;
  for (const Datagram& datagram : flow.datagrams) {
    const auto message = parse_dns(datagram.octets);
    if (!message) continue;
    found = true;
    const bool turned = flow.client.port == kDnsPort && flow.server.port != kDnsPort;
    learn_dns(turned ? flow.server.address : flow.client.address, *message, datagram.time);
  }
  if (!found) return std::nullopt;
  Content content{Content::State::named, plain("DNS", "payload: DNS message"), {}};
  content.named.watch = true;
  return content;
}

std::optional<Content> Decider::judge_quic(const FlowStart& flow, bool last_chance) {
  std::vector<Bytes> client;
  for (const Datagram& datagram : flow.datagrams)
    if (datagram.from == Side::client && client.size() < kQuicDatagramsMax) client.push_back(datagram.octets);
  ClientHello hello;
  const Parsed parsed = client.empty() ? Parsed::no : parse_quic(client, hello);
  if (parsed == Parsed::yes) return judge_hello(hello, hosts_, "quic");
  if (parsed == Parsed::need_more && !last_chance && client.size() < kQuicDatagramsMax)
    return Content{Content::State::wait, {}, {}};
  const bool header = std::ranges::any_of(flow.datagrams, [](const Datagram& datagram) {
    return datagram.octets.size() > 20 && is_quic_long_header(datagram.octets);
  });
  if (parsed == Parsed::no && !header) return std::nullopt;
  Content content{Content::State::carrier, plain("QUIC", "payload: QUIC header"), {}};
  content.named.cover = Cover::quic;
  return content;
}

Opinion Decider::classify_datagrams(Notes* notes, const FlowStart& flow, bool last_chance) {
  if (flow.datagrams.empty()) return {};
  if (auto dns = judge_dns(flow)) return {Opinion::State::named, std::move(dns->named)};
  auto finding = probe_codecs(flow);
  for (const auto probes : {messenger_datagram_probes(), peer_datagram_probes()})
    for (const Probe probe : probes)
      if (!finding) finding = probe(flow);
  if (finding) {
    Named known = plain(std::string{finding->application}, std::string{finding->evidence});
    known.category = finding->category;
    known.reader = finding->reader;
    known.watch = finding->application == "BitTorrent" || is_stun(flow);  // later ones name peers
    Opinion opinion = named(flow, std::move(known));
    for (const Datagram& datagram : flow.datagrams)
      if (opinion.named.watch) learn_peers(flow.client, datagram);
    return opinion;
  }
  std::optional<Content> content = judge_quic(flow, last_chance);
  if (content && content->state == Content::State::wait) return {};
  if (content && !content->shown_name.empty()) learn_handshake(flow, content->shown_name);
  if (content && content->state == Content::State::named) return {Opinion::State::named, std::move(content->named)};
  if (auto spoken = by_socket(flow)) return {Opinion::State::named, std::move(*spoken)};
  if (content || last_chance || flow.datagrams.size() >= kDatagramsBeforeMemory)
    if (auto remembered = by_memory(flow)) {
      if (content) remembered->cover = content->named.cover;
      return named(flow, std::move(*remembered));
    }
  if (content) return {Opinion::State::named, std::move(content->named)};
  if (auto proposed = by_ndpi(notes, last_chance)) return named(flow, std::move(*proposed));
  if (!last_chance) return {};
  if (auto owned = by_network(flow)) return {Opinion::State::named, std::move(*owned)};
  const bool stun =
      std::ranges::any_of(flow.datagrams, [](const Datagram& d) { return parse_stun(d.octets).has_value(); });
  if (stun) return {Opinion::State::named, plain("STUN", "payload: STUN message")};
  return {};
}

std::optional<Named> Decider::by_memory(const FlowStart& flow) {
  if (auto name = by_name(flow)) return name;
  return by_socket(flow);
}

std::optional<Named> Decider::by_name(const FlowStart& flow) {
  const bool either = flow.midstream || flow.transport == Transport::udp;
  for (const bool turned : {false, true}) {
    if (turned && !either) break;
    const Address& server = turned ? flow.client.address : flow.server.address;
    const LearnedNames::Name* name = names_.find(server, turned ? flow.server.address : flow.client.address, flow.now);
    if (name == nullptr) continue;
    Named named;
    named.application = name->rule->application;
    named.category = name->rule->category;
    named.host = name->host;
    named.swapped = turned;
    named.evidence = name->by == LearnedNames::By::dns ? fmt::format("dns: {} was {}", server.text(), name->host)
                                                       : fmt::format("handshake: {} was {}", server.text(), name->host);
    return named;
  }
  return std::nullopt;
}

// A socket that many peers share speaks one protocol: UDP of a client that calls, both ends of P2P. TCP to where a
// peer listens is the same client's (BitTorrent, Gnutella and eDonkey use one number for both).
std::optional<Named> Decider::by_socket(const FlowStart& flow) {
  const bool udp = flow.transport == Transport::udp;
  for (const Endpoint* end : {&flow.server, &flow.client}) {
    if (end->port < kFirstFreePort || (!udp && end == &flow.client && !flow.midstream)) continue;
    const LearnedSockets::Socket* socket = sockets_.find(*end, flow.now);
    if (socket == nullptr || (!udp && socket->category != Category::p2p)) continue;
    Named named;
    named.application = socket->application;
    named.category = socket->category;
    named.evidence = fmt::format("{}: {} {} {}", udp ? "socket" : "peer", end->text(),
                                 socket->announced ? "was announced as a peer of" : "spoke", socket->application);
    return named;
  }
  return std::nullopt;
}

std::optional<Named> Decider::by_network(const FlowStart& flow) {
  for (const Endpoint* end : {&flow.server, &flow.client}) {
    const HostRule* rule = hosts_.find(end->address);
    if (rule == nullptr) continue;
    Named named;
    named.application = rule->application;
    named.category = rule->category;
    named.evidence = fmt::format("network: {} belongs to {}", end->address.text(), rule->application);
    return named;
  }
  return std::nullopt;
}

void Decider::learn_dns(const Address& client, const DnsMessage& message, Instant now) {
  if (!message.response || message.addresses.empty()) return;
  const HostRule* rule = hosts_.find(message.question);
  const std::string* host = &message.question;
  for (const std::string& alias : message.aliases) {
    if (rule != nullptr) break;
    if ((rule = hosts_.find(alias)) != nullptr) host = &alias;
  }
  for (const DnsAnswer& answer : message.addresses)
    names_.learn(answer.address, client, {*host, rule, LearnedNames::By::dns}, std::chrono::seconds{answer.ttl_s}, now);
}

void Decider::learn_handshake(const FlowStart& flow, const std::string& name) {
  constexpr Duration kLife = std::chrono::hours{1};
  names_.learn(flow.server.address, flow.client.address, {name, hosts_.find(name), LearnedNames::By::handshake}, kLife,
               flow.now);
}

void Decider::learn_socket(const FlowStart& flow, const Named& named) {
  const std::string_view name = static_name(named.application);
  if (name.empty() || !is_payload_evidence(named)) return;
  const bool udp = flow.transport == Transport::udp, p2p = named.category == Category::p2p;
  if (udp && flow.client.port >= kFirstFreePort && named.category != Category::other)
    sockets_.learn(flow.client, name, named.category, false, flow.now);
  if (p2p && flow.server.port >= kFirstFreePort && !named.evidence.starts_with("payload: UDP tracker"))
    sockets_.learn(flow.server, name, named.category, false, flow.now);
}

void Decider::learn_peers(const Endpoint& client, const Datagram& datagram) {
  for (const Endpoint& peer : announced_peers(datagram.octets)) learn_peer(peer, datagram.time);
  if (const auto port = own_port(datagram.octets)) learn_peer({client.address, *port}, datagram.time);
  const auto message = parse_stun(datagram.octets);
  if (!message || !message->peer || message->peer->port < kFirstFreePort) return;
  // Whom the relay's client asks to be connected with (RFC 8656 §9) speaks what the client does.
  if (const LearnedSockets::Socket* own = sockets_.find(client, datagram.time)) {
    const LearnedSockets::Socket spoken = *own;
    sockets_.learn(*message->peer, spoken.application, spoken.category, true, datagram.time);
  }
}

void Decider::learn_peer(const Endpoint& peer, Instant now) {
  if (peer.port >= kFirstFreePort) sockets_.learn(peer, "BitTorrent", Category::p2p, true, now);
}

// False: the answer is still to come.
bool Decider::learn_tracker(const FlowStart& flow, bool last_chance) {
  HttpHead request;
  (void)parse_http(flow.client_octets, request);
  if (const auto port = own_port_in_path(request.target)) learn_peer({flow.client.address, *port}, flow.now);
  if (!last_chance && !flow.server_gap && !is_whole_answer(flow.server_octets)) return false;
  for (const Endpoint& peer : tracker_peers(flow.server_octets)) learn_peer(peer, flow.now);
  return true;
}

void Decider::watched(const Endpoint& client, const Endpoint& server, const Datagram& datagram) {
  if (server.port == kDnsPort || client.port == kDnsPort) {
    if (const auto message = parse_dns(datagram.octets))
      learn_dns(server.port == kDnsPort ? client.address : server.address, *message, datagram.time);
  } else {
    learn_peers(client, datagram);
  }
}

}  // namespace

std::unique_ptr<Classifier> make_decider(const DeciderOptions& options) { return std::make_unique<Decider>(options); }

}  // namespace chancery::sensor
