#include <array>
#include <fmt/format.h>

#include "config/address.h"
#include "config/reading.h"

namespace chancery::config {
namespace {

using namespace std::string_view_literals;
using gateway::Listener;
using gateway::Tls;

constexpr std::array kListenerKeys = {"name"sv,
                                      "protocol"sv,
                                      "address"sv,
                                      "host"sv,
                                      "tls"sv,
                                      "certificate"sv,
                                      "target"sv,
                                      "on_journal_failure"sv,
                                      "proxy_protocol"sv,
                                      "record_presence"sv,
                                      "route"sv};
constexpr std::array kCertificateKeys = {"source"sv, "chain"sv, "key"sv};
constexpr std::array kProxyKeys = {"in"sv, "out"sv};
constexpr std::array kRouteKeys = {"network"sv, "to"sv, "address"sv, "tls"sv, "ca"sv, "server_name"sv, "verify"sv};

constexpr std::array kTls = {"none"sv, "starttls"sv, "direct"sv};
constexpr std::array kTargets = {"direct"sv};
constexpr std::array kSources = {"file"sv};
constexpr std::array kTo = {"fixed"sv};
constexpr std::array kFailureAnswers = {"refuse"sv, "forward-and-alarm"sv};

// Every choice list above is in the order of its enumeration.
template <class Enum>
Enum chosen(const std::optional<yaml::Value>& value, std::span<const std::string_view> words, Enum otherwise) {
  return value ? static_cast<Enum>(value->choice(words)) : otherwise;
}

const Protocol& read_protocol(const yaml::Value& value, std::span<const Protocol* const> protocols) {
  std::vector<std::string_view> names;
  for (const auto* protocol : protocols) names.push_back(protocol->name);
  return *protocols[value.choice(names)];
}

Tls read_tls(const std::optional<yaml::Value>& value, const Protocol& protocol) {
  const auto tls = chosen(value, kTls, Tls::none);
  if (tls == Tls::starttls && !protocol.starttls)
    value->fail(fmt::format("{} has no STARTTLS; use none or direct", protocol.name));
  return tls;
}

gateway::Certificate read_certificate(const yaml::Value& value, const std::filesystem::path& folder) {
  const auto map = value.map(kCertificateKeys);
  gateway::Certificate certificate;
  certificate.source = chosen(map.find("source"), kSources, gateway::Certificate::Source::file);
  certificate.chain = read_path(map.at("chain"), folder);
  certificate.key = read_path(map.at("key"), folder);
  return certificate;
}

gateway::ProxyProtocol read_proxy_protocol(const yaml::Value& value) {
  const auto map = value.map(kProxyKeys);
  gateway::ProxyProtocol proxy;
  if (const auto in = map.find("in")) proxy.in = in->boolean();
  if (const auto out = map.find("out")) proxy.out = out->boolean();
  return proxy;
}

void require_tls(const std::optional<yaml::Value>& value, Tls tls) {
  if (value && tls == Tls::none) value->fail("means nothing with `tls: none`");
}

gateway::Route read_route(const yaml::Value& value, const Protocol& protocol, const std::string& listener,
                          const std::filesystem::path& folder) {
  const auto map = value.map(kRouteKeys);
  gateway::Route route;
  route.network = listener;
  route.to = chosen(map.find("to"), kTo, gateway::Route::To::fixed);
  const auto address = map.at("address");
  route.address = read_address(address, false);
  if (route.address.port == 0) address.fail("port 0 cannot be connected to");
  route.tls = read_tls(map.find("tls"), protocol);
  for (const auto* key : {"ca", "verify"}) require_tls(map.find(key), route.tls);
  if (const auto ca = map.find("ca")) route.ca = read_path(*ca, folder);
  route.server_name = route.address.host;
  if (const auto name = map.find("server_name")) route.server_name = name->text_not_empty();
  if (const auto verify = map.find("verify")) route.verify = verify->boolean();
  // Two listeners that lead to one server (STARTTLS and direct TLS) are one network, or a message that comes in by one
  // and goes out by the other would count twice. Which server it is, only its verified name tells.
  const auto network = map.find("network");
  if (network)
    route.network = read_name(*network);
  else if (map.find("server_name") && route.tls != Tls::none && route.verify)
    route.network = route.server_name;
  return route;
}

}  // namespace

Listener read_listener(const yaml::Value& value, const Surroundings& around) {
  const auto map = value.map(kListenerKeys);
  Listener listener;
  listener.name = read_name(map.at("name"));
  const auto& protocol = read_protocol(map.at("protocol"), around.protocols);
  listener.protocol = protocol.name;
  listener.address = read_address(map.at("address"), true);
  listener.tls = read_tls(map.find("tls"), protocol);
  const auto certificate = map.find("certificate");
  require_tls(certificate, listener.tls);
  if (listener.tls != Tls::none) listener.certificate = read_certificate(map.at("certificate"), around.folder);
  listener.target = chosen(map.find("target"), kTargets, Listener::Target::direct);
  listener.on_journal_failure =
      chosen(map.find("on_journal_failure"), kFailureAnswers, gateway::OnJournalFailure::refuse);
  if (const auto proxy = map.find("proxy_protocol")) listener.proxy_protocol = read_proxy_protocol(*proxy);
  if (const auto presence = map.find("record_presence")) listener.record_presence = presence->boolean();
  listener.route = read_route(map.at("route"), protocol, listener.name, around.folder);
  listener.host = listener.route.server_name;
  if (const auto host = map.find("host")) listener.host = host->text_not_empty();
  return listener;
}

}  // namespace chancery::config
