#include "sensor/classify/http_probe.h"

#include <algorithm>
#include <array>

#include "sensor/meta/octets.h"

namespace chancery::sensor {
namespace {

using namespace std::string_view_literals;

constexpr Bytes kHttp = "http";

bool has(Bytes text, Bytes part) { return text.find(part) != Bytes::npos; }

struct Rule {
  Bytes part;
  Finding finding;
};

// What a client calls itself, at the begin of User-Agent.
constexpr std::array kAgents = std::to_array<Rule>({
    {"WhatsApp/", {"WhatsApp", Category::im, "http user agent: WhatsApp"}},
    {"Viber", {"Viber", Category::im, "http user agent: Viber"}},
    {"Signal-", {"Signal", Category::im, "http user agent: Signal"}},
    {"MicroMessenger Client", {"WeChat", Category::im, "http user agent: MicroMessenger Client"}},
    {"Telegram Desktop", {"Telegram", Category::im, "http user agent: Telegram Desktop"}},
    {"Discord/", {"Discord", Category::im, "http user agent: Discord"}},
    {"MSMSGS", {"MSN", Category::im, "http user agent: MSN Messenger"}},
    {"ZulipMobile", {"Zulip", Category::im, "http user agent: Zulip"}},
    {"ZulipElectron", {"Zulip", Category::im, "http user agent: Zulip"}},
    {"Mattermost", {"Mattermost", Category::im, "http user agent: Mattermost"}},
    {"uTorrent", {"BitTorrent", Category::p2p, "http user agent: uTorrent"}},
    {"BitTorrent", {"BitTorrent", Category::p2p, "http user agent: BitTorrent"}},
    {"BTWebClient", {"BitTorrent", Category::p2p, "http user agent: BTWebClient"}},
    {"Azureus", {"BitTorrent", Category::p2p, "http user agent: Azureus"}},
    {"Transmission/", {"BitTorrent", Category::p2p, "http user agent: Transmission"}},
    {"qBittorrent", {"BitTorrent", Category::p2p, "http user agent: qBittorrent"}},
    {"Deluge ", {"BitTorrent", Category::p2p, "http user agent: Deluge"}},
    {"libtorrent/", {"BitTorrent", Category::p2p, "http user agent: libtorrent"}},
    {"rtorrent/", {"BitTorrent", Category::p2p, "http user agent: rtorrent"}},
    {"BitComet/", {"BitTorrent", Category::p2p, "http user agent: BitComet"}},
    {"gtk-gnutella/", {"Gnutella", Category::p2p, "http user agent: gtk-gnutella"}},
    {"LimeWire", {"Gnutella", Category::p2p, "http user agent: LimeWire"}},
    {"FrostWire", {"Gnutella", Category::p2p, "http user agent: FrostWire"}},
    {"BearShare", {"Gnutella", Category::p2p, "http user agent: BearShare"}},
    {"Shareaza", {"Gnutella", Category::p2p, "http user agent: Shareaza"}},
    {"Foxy ", {"Gnutella", Category::p2p, "http user agent: Foxy"}},
    {"eMule", {"eDonkey", Category::p2p, "http user agent: eMule"}},
    {"aMule", {"eDonkey", Category::p2p, "http user agent: aMule"}},
    {"KazaaClient", {"FastTrack", Category::p2p, "http user agent: Kazaa"}},
    {"Ares ", {"Ares", Category::p2p, "http user agent: Ares"}},
});

// What is asked for, at the begin of the path.
constexpr std::array kPaths = std::to_array<Rule>({
    {"/gateway/gateway.dll?", {"MSN", Category::im, "http path: MSN gateway"}},
    {"/_matrix/", {"Matrix", Category::im, "http path: Matrix API"}},
    {"/.well-known/matrix/", {"Matrix", Category::im, "http path: Matrix discovery"}},
    {"/api/v4/websocket", {"Mattermost", Category::im, "http path: Mattermost WebSocket"}},
    {"/mmtls/", {"WeChat", Category::im, "http path: mmtls"}},
    {"/webseed?info_hash=", {"BitTorrent", Category::p2p, "http path: web seed"}},
    {"/uri-res/N2R?urn:", {"Gnutella", Category::p2p, "http path: HUGE resource"}},
    {"/gnutella/", {"Gnutella", Category::p2p, "http path: Gnutella"}},
    {"/.hash=", {"FastTrack", Category::p2p, "http path: Kazaa hash"}},
});

// RFC 7395, RFC 7118, RFC 7977, IRCv3's WebSocket specification.
constexpr std::array kSubprotocols = std::to_array<Rule>({
    {"xmpp", {"Jabber", Category::im, "websocket protocol: xmpp"}},
    {"text.ircv3.net", {"IRC", Category::im, "websocket protocol: IRCv3"}},
    {"binary.ircv3.net", {"IRC", Category::im, "websocket protocol: IRCv3"}},
    {"msrp", {"MSRP", Category::im, "websocket protocol: msrp"}},
    {"sip", {"SIP", Category::voip, "websocket protocol: sip"}},
});

std::optional<Finding> by_agent(Bytes agent) {
  for (const Rule& rule : kAgents)
    if (agent.starts_with(rule.part)) return rule.finding;
  return std::nullopt;
}

std::optional<Finding> by_path(Bytes path) {
  for (const Rule& rule : kPaths)
    if (path.starts_with(rule.part)) return rule.finding;
  // BEP 3, BEP 48: the hash and the peer's id or an announced port; a scrape names hashes only.
  if (has(path, "info_hash=") && (has(path, "peer_id=") || has(path, "port=") || has(path, "/scrape")))
    return Finding{"BitTorrent", Category::p2p, "http path: tracker request"};
  // Gnutella's web caches (gwebcache specification 2): who asks names itself and what it wants.
  const bool asks_cache = has(path, "hostfile=1") || has(path, "urlfile=1") || has(path, "get=1") ||
                          has(path, "ping=1") || has(path, "update=1");
  if (asks_cache && has(path, "client=") && (has(path, "version=") || has(path, "net=gnutella")))
    return Finding{"Gnutella", Category::p2p, "http path: GWebCache"};
  if (path.ends_with("/server.met") || path.ends_with("/nodes.dat"))
    return Finding{"eDonkey", Category::p2p, "http path: list of eDonkey servers"};
  return std::nullopt;
}

std::optional<Finding> by_upgrade(const HttpHead& request, const HttpHead& response) {
  if (!contains_ignoring_case(request.upgrade, "websocket")) return std::nullopt;
  const Bytes chosen = response.subprotocol.empty() ? request.subprotocol : response.subprotocol;
  for (const Rule& rule : kSubprotocols)
    if (contains_ignoring_case(chosen, rule.part)) return rule.finding;
  return std::nullopt;
}

std::optional<Finding> by_body(Bytes body) {
  if (body.starts_with("YMSG")) return Finding{"Yahoo Messenger", Category::im, "http body: YMSG"};
  const Bytes begin = body.substr(0, 1'024);
  if (has(begin, "<body") && has(begin, "http://jabber.org/protocol/httpbind"))
    return Finding{"Jabber", Category::im, "http body: BOSH"};
  return std::nullopt;
}

}  // namespace

std::optional<Finding> probe_http(const HttpHead& request, Bytes octets, const HttpHead& response) {
  std::optional<Finding> finding;
  if (request.complete) finding = by_body(octets.substr(std::min(request.size, octets.size())));
  if (!finding) finding = by_upgrade(request, response);
  if (!finding) finding = by_path(request.target.substr(0, 4'096));
  if (!finding) finding = by_agent(request.user_agent);
  if (!finding && (request.gnutella || response.gnutella || has(response.content_type, "application/x-gnutella") ||
                   has(request.accept, "application/x-gnutella")))
    finding = Finding{"Gnutella", Category::p2p, "http header: X-Gnutella"};
  if (finding && finding->reader.empty()) finding->reader = kHttp;
  return finding;
}

}  // namespace chancery::sensor
