#include "sensor/classify/content.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "sensor/classify/http_probe.h"
#include "sensor/meta/http.h"
#include "sensor/meta/octets.h"
#include "sensor/meta/stun.h"
#include "sensor/meta/tls.h"
#include "sensor/meta/tunnel.h"

namespace chancery::sensor {
namespace {

constexpr int kTunnelsMax = 3;  // one inside the other

Named name_of(const Finding& finding) {
  Named named;
  named.application = finding.application;
  named.category = finding.category;
  named.evidence = finding.evidence;
  named.reader = finding.reader;
  named.swapped = finding.swapped;
  return named;
}

Named name_of(const HostRule& rule, std::string evidence, std::string host) {
  Named named;
  named.application = rule.application;
  named.category = rule.category;
  named.evidence = std::move(evidence);
  named.host = std::move(host);
  return named;
}

std::optional<Finding> ask(std::span<const Probe> probes, const FlowStart& flow) {
  for (const Probe probe : probes)
    if (auto finding = probe(flow)) return finding;
  return std::nullopt;
}

std::optional<Finding> probe_stream(const FlowStart& flow) {
  if (auto finding = probe_codecs(flow)) return finding;
  if (auto finding = ask(messenger_stream_probes(), flow)) return finding;
  return ask(peer_stream_probes(), flow);
}

Named other(std::string application, std::string evidence, std::string host = {}) {
  Named named;
  named.application = std::move(application);
  named.evidence = std::move(evidence);
  named.host = std::move(host);
  return named;
}

// RFC 7301's registry (IANA): names of protocols that are messengers'.
const Finding* by_alpn(const ClientHello& hello) {
  struct Rule {
    std::string_view name;
    Finding finding;
  };
  static constexpr std::array kRules =
      std::to_array<Rule>({{"xmpp-client", {"Jabber", Category::im, "tls alpn: xmpp-client"}},
                           {"xmpp-server", {"Jabber", Category::im, "tls alpn: xmpp-server"}},
                           {"irc", {"IRC", Category::im, "tls alpn: irc"}}});
  for (const std::string& protocol : hello.alpn)
    for (const Rule& rule : kRules)
      if (protocol == rule.name) return &rule.finding;
  return nullptr;
}

std::string_view without_star(std::string_view name) { return name.starts_with("*.") ? name.substr(2) : name; }

// A certificate may serve many names of one owner: it tells something only if all of them mean the same, also those
// beyond the ones that are read.
const HostRule* rule_of_all(const std::vector<std::string>& names, const Hosts& hosts) {
  const HostRule* first = nullptr;
  if (names.size() >= kTlsNamesMax) return nullptr;
  for (const std::string& name : names) {
    const HostRule* rule = hosts.find(without_star(name));
    if (rule == nullptr || (first != nullptr && rule->application != first->application)) return nullptr;
    first = rule;
  }
  return first;
}

Content judge_certificate(const FlowStart& flow, const Hosts& hosts, bool last_chance, Content carrier) {
  ServerFlight flight;
  const Parsed parsed = parse_server_flight(flow.server_octets, flight);
  if (parsed == Parsed::need_more && !last_chance && !flow.server_gap) {
    carrier.state = Content::State::wait;
    return carrier;
  }
  if (flight.certificate.empty()) return carrier;
  carrier.named.host = flight.certificate.front();
  if (const HostRule* rule = rule_of_all(flight.certificate, hosts)) {
    carrier.named =
        name_of(*rule, fmt::format("certificate: {}", flight.certificate.front()), flight.certificate.front());
    carrier.named.cover = Cover::tls;
    carrier.shown_name = without_star(flight.certificate.front());
    carrier.state = Content::State::named;
    return carrier;
  }
  const auto listed = [&](const std::string& name) { return hosts.find(without_star(name)) != nullptr; };
  carrier.shared = std::ranges::any_of(flight.certificate, listed);
  // Of several, the name that is nobody's speaks for the innocent: a listed one is not to be blamed for this flow.
  const auto innocent = std::ranges::find_if_not(flight.certificate, listed);
  if (innocent != flight.certificate.end()) carrier.named.host = *innocent;
  return carrier;
}

Content judge_tls(const FlowStart& flow, const Hosts& hosts, bool last_chance) {
  ClientHello hello;
  const bool silent = flow.client_octets.empty();  // the server may speak first
  const Parsed parsed = silent ? Parsed::no : parse_client_hello(flow.client_octets, hello);
  if (parsed == Parsed::need_more && !last_chance && !flow.client_gap) return {Content::State::wait, {}, {}};
  if (parsed == Parsed::yes) {
    Content content = judge_hello(hello, hosts, "tls");
    if (content.state == Content::State::carrier && hello.server_name.empty())
      return judge_certificate(flow, hosts, last_chance, std::move(content));
    return content;
  }
  const bool cut = parsed == Parsed::need_more && octet(flow.client_octets, 0) == 0x16 && flow.client_octets.size() > 9;
  const auto shows = [](Bytes octets) { return octets.empty() || is_tls_records(octets); };
  const bool records = (!flow.client_octets.empty() || !flow.server_octets.empty()) && shows(flow.client_octets) &&
                       shows(flow.server_octets);
  if (!cut && !records) return {};
  Content content{Content::State::carrier, other("TLS", "payload: TLS records"), {}};
  content.named.cover = Cover::tls;
  return judge_certificate(flow, hosts, true, std::move(content));
}

Content judge_websocket(const HttpHead& response, const HostRule* rule, std::string host) {
  if (rule != nullptr) return {Content::State::named, name_of(*rule, fmt::format("http host: {}", host), host), host};
  Content content{Content::State::named, other("HTTP", "payload: HTTP request", host), host};
  content.named.reader = "http";
  if (response.status == 101) {
    content.named.application = "WebSocket";
    content.named.evidence = "payload: WebSocket upgrade";
    content.named.reader = "websocket";
  }
  return content;
}

bool may_have_telling_body(const HttpHead& request) { return request.method == "POST"; }

Content judge_http(const FlowStart& flow, const Hosts& hosts, bool last_chance) {
  HttpHead request, response;
  if (parse_http(flow.client_octets, request) != Parsed::yes) {
    if (!flow.client_octets.empty() || parse_http(flow.server_octets, response) != Parsed::yes) return {};
    Content content{Content::State::named, other("HTTP", "payload: HTTP response"), {}};
    content.named.reader = "http";
    return content;
  }
  if (!request.request) return {};
  (void)parse_http(flow.server_octets, response);
  std::string host = http_host(request);
  if (request.method == "CONNECT" && !last_chance && response.status == 0) return {Content::State::wait, {}, {}};
  auto finding = probe_http(request, flow.client_octets, response);
  if (!finding) finding = ask(peer_stream_probes(), flow);  // Kazaa's and Ares' transfers look like HTTP
  if (finding) {
    Content content{Content::State::named, name_of(*finding), host};
    content.named.host = std::move(host);
    return content;
  }
  const bool body_to_come = may_have_telling_body(request) && flow.client_octets.size() <= request.size;
  if (!last_chance && (!request.complete || body_to_come)) return {Content::State::wait, {}, {}};
  const HostRule* rule = hosts.find(host);
  if (contains_ignoring_case(request.upgrade, "websocket")) {
    if (!last_chance && !response.complete) return {Content::State::wait, {}, {}};
    return judge_websocket(response, rule, std::move(host));
  }
  Content content{Content::State::named, {}, host};
  if (rule != nullptr)
    content.named = name_of(*rule, fmt::format("http host: {}", host), host);
  else
    content.named = other("HTTP", "payload: HTTP request", host);
  content.named.reader = "http";
  return content;
}

Content judge(const FlowStart& flow, const Hosts& hosts, bool last_chance, int depth);

// The inner conversation decides; the outer one's target name helps.
Content judge_tunnel(const Tunnel& tunnel, const FlowStart& flow, const Hosts& hosts, bool last_chance, int depth) {
  FlowStart inner = flow;
  inner.client_octets.remove_prefix(std::min(tunnel.client_begin, inner.client_octets.size()));
  inner.server_octets.remove_prefix(std::min(tunnel.server_begin, inner.server_octets.size()));
  Content content = judge(inner, hosts, last_chance, depth + 1);
  if (content.state == Content::State::named && content.named.category != Category::other) {
    content.named.evidence = fmt::format("{} (inside {})", content.named.evidence, tunnel.kind);
    content.named.reader = {};  // readers take a connection from its first octet
    return content;
  }
  if (const HostRule* rule = hosts.find(tunnel.host))
    return {Content::State::named, name_of(*rule, fmt::format("{}: {}", tunnel.kind, tunnel.host), tunnel.host), {}};
  if (content.state == Content::State::wait) return content;
  if (content.state == Content::State::unknown && !last_chance && inner.client_octets.size() < 256)
    return {Content::State::wait, {}, {}};
  const bool socks = tunnel.kind.starts_with("socks");
  return {
      Content::State::named, other(socks ? "SOCKS" : "HTTP", fmt::format("payload: {}", tunnel.kind), tunnel.host), {}};
}

// TLS behind a line of STARTTLS, in a protocol that no probe knows: its name may be a messenger's.
Content judge_starttls(const FlowStart& flow, const Hosts& hosts) {
  const auto at = find_starttls(flow.client_octets);
  ClientHello hello;
  if (!at || parse_client_hello(flow.client_octets.substr(*at), hello) != Parsed::yes) return {};
  Content content = judge_hello(hello, hosts, "tls");
  if (content.state != Content::State::named || content.named.category == Category::other) return {};
  content.named.evidence += " (behind STARTTLS)";
  return content;
}

Content judge(const FlowStart& flow, const Hosts& hosts, bool last_chance, int depth) {
  if (depth < kTunnelsMax)
    if (const auto tunnel = find_tunnel(flow.client_octets, flow.server_octets))
      return judge_tunnel(*tunnel, flow, hosts, last_chance, depth);
  if (Content content = judge_tls(flow, hosts, last_chance); content.state != Content::State::unknown) return content;
  // Before the probes: what an HTTP body holds (BOSH, a web page about IRC) is not the stream's own protocol.
  if (Content content = judge_http(flow, hosts, last_chance); content.state != Content::State::unknown) return content;
  if (const auto finding = probe_stream(flow)) return {Content::State::named, name_of(*finding), {}};
  if (Content content = judge_starttls(flow, hosts); content.state != Content::State::unknown) return content;
  for (const Bytes octets : {flow.client_octets, flow.server_octets})
    if (const auto message = parse_stun_stream(octets))
      return {Content::State::carrier, other("STUN", "payload: STUN message"), {}};
  return {};
}

}  // namespace

Content judge_hello(const ClientHello& hello, const Hosts& hosts, std::string_view carrier) {
  const bool quic = carrier == "quic";
  Content content{
      Content::State::carrier, other(quic ? "QUIC" : "TLS", fmt::format("payload: {} client hello", carrier)), {}};
  content.named.host = hello.server_name;
  content.shown_name = hello.server_name;
  const Cover cover = hello.encrypted_hello ? Cover::encrypted_hello : quic ? Cover::quic : Cover::tls;
  if (const Finding* finding = by_alpn(hello)) {
    content.named = name_of(*finding);
    content.named.host = hello.server_name;
    content.state = Content::State::named;
  } else if (const HostRule* rule = hosts.find(hello.server_name)) {
    content.named = name_of(*rule, fmt::format("{} sni: {}", carrier, hello.server_name), hello.server_name);
    content.state = Content::State::named;
  } else if (!hello.server_name.empty() && !hello.encrypted_hello) {
    content.named.evidence = fmt::format("{} sni: {}", carrier, hello.server_name);
    content.state = Content::State::named;
  }
  content.named.cover = cover;
  return content;
}

Content judge_stream(const FlowStart& flow, const Hosts& hosts, bool last_chance) {
  Content content = judge(flow, hosts, last_chance, 0);
  if (content.state != Content::State::unknown || !flow.midstream) return content;
  FlowStart turned = flow;  // joined midway: the sides are a guess
  std::swap(turned.client_octets, turned.server_octets);
  std::swap(turned.client_gap, turned.server_gap);
  content = judge(turned, hosts, last_chance, 0);
  if (content.state == Content::State::named) content.named.swapped = !content.named.swapped;
  return content;
}

}  // namespace chancery::sensor
