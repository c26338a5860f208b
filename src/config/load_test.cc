#include "config/load.h"

#include <array>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

#include "config/address.h"
#include "yaml/schema_keys.h"

namespace chancery::config {
namespace {

constexpr Protocol protocol(std::string_view name, bool starttls) {
  return {.name = name, .ports = {}, .probe = nullptr, .make = nullptr, .make_shared = nullptr, .starttls = starttls};
}
constexpr Protocol kXmpp = protocol("xmpp", true);
constexpr Protocol kIrc = protocol("irc", false);
constexpr std::array<const Protocol*, 2> kProtocols = {&kXmpp, &kIrc};

constexpr std::string_view kMinimal = R"(site: london
node: gw1
archive: /srv/archive
signer: {key_file: /srv/signer.key}
listeners:
  - {name: irc, protocol: irc, address: 127.0.0.1:0, route: {address: irc.internal:6667}}
)";

gateway::Config read(std::string_view text, yaml::KnownKeys* known = nullptr) {
  return parse(text, {"g.yaml", "/etc/chancery", kProtocols, known});
}

std::string error_of(std::string_view text) {
  try {
    read(text);
  } catch (const yaml::Error& e) {
    return e.what();
  }
  return "no error";
}

// The minimal file with one text replaced.
std::string changed(std::string_view from, std::string_view to) {
  std::string text{kMinimal};
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string file_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  return {std::istreambuf_iterator<char>{in}, {}};
}

TEST(Config, EveryDefaultIsFilled) {
  const auto config = read(kMinimal);
  EXPECT_EQ(config.index, "/srv/archive.index");
  EXPECT_EQ(config.keys, "/srv/archive.keys");
  EXPECT_EQ(config.state, "/srv/archive.state");
  EXPECT_EQ(config.limits, gateway::Limits{});
  EXPECT_TRUE(config.policy.empty());
  ASSERT_EQ(config.listeners.size(), 1U);
  const auto& listener = config.listeners[0];
  EXPECT_EQ(listener.route.network, "irc");
  EXPECT_EQ(listener.route.server_name, "irc.internal");
  EXPECT_EQ(listener.host, "irc.internal");
  EXPECT_EQ(listener.on_journal_failure, gateway::OnJournalFailure::refuse);
  EXPECT_TRUE(listener.route.verify);
}

TEST(Config, EveryKeyArrives) {
  const auto config = read(file_text(CHANCERY_TESTDATA "/full.yaml"));
  EXPECT_EQ(config.archive, "/etc/chancery/archive");
  EXPECT_EQ(config.index, "/srv/index");
  EXPECT_EQ(config.keys, "/srv/keys");
  EXPECT_EQ(config.state, "/srv/state");
  EXPECT_EQ(config.signer, (gateway::Signer{{}, "/run/chancery/signer.sock"}));
  EXPECT_EQ(config.witnesses, (std::vector<gateway::Witness>{{"second-site", "https://witness.example:8443/",
                                                              "witness.example+1a2b3c4d+AaBbCcDd"}}));
  EXPECT_EQ(config.policy, "/etc/chancery/policy.yaml");
  EXPECT_EQ(config.metrics, (gateway::Address{"127.0.0.1", 9464}));
  EXPECT_EQ(config.log, gateway::LogFormat::json);
  EXPECT_EQ(config.heartbeat_seconds, std::chrono::seconds{30});
  using std::chrono::seconds;
  EXPECT_EQ(config.limits, (gateway::Limits{10000, 50, seconds{5}, seconds{30}, seconds{0}, seconds{3}, seconds{20}, 20,
                                            100, 65536, 64, 131072, 262144, seconds{20}, 4096, 5, 50000}));
  ASSERT_EQ(config.listeners.size(), 2U);
  const gateway::Listener xmpp{
      .name = "xmpp",
      .protocol = "xmpp",
      .address = {"0.0.0.0", 5222},
      .host = "im.example",
      .tls = gateway::Tls::starttls,
      .certificate = {gateway::Certificate::Source::file, "/etc/chancery/tls/im.pem", "/etc/chancery/tls/im.key"},
      .target = gateway::Listener::Target::direct,
      .on_journal_failure = gateway::OnJournalFailure::forward_and_alarm,
      .proxy_protocol = {true, true},
      .record_presence = true,
      .route = {"im",
                gateway::Route::To::fixed,
                {"xmpp1.internal", 5222},
                gateway::Tls::starttls,
                "/etc/chancery/tls/internal-ca.pem",
                "im.internal",
                false}};
  EXPECT_EQ(config.listeners[0], xmpp);
  EXPECT_EQ(config.listeners[1].address, (gateway::Address{"::1", 6697}));
}

TEST(Config, AnUnknownKeyNamesItsPlace) {
  EXPECT_EQ(error_of(changed("address: 127.0.0.1:0", "adress: 127.0.0.1:0")),
            "g.yaml:6: listeners[0].adress: unknown key; did you mean `address`? The keys here are name, protocol, "
            "address, host, tls, certificate, target, on_journal_failure, proxy_protocol, record_presence, route");
}

struct Bad {
  std::string_view from, to, error;
};

class ConfigError : public testing::TestWithParam<Bad> {};

TEST_P(ConfigError, SaysWhereAndWhatWouldBeValid) {
  EXPECT_EQ(error_of(changed(GetParam().from, GetParam().to)), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Each, ConfigError,
    testing::Values(
        Bad{"site: london\n", "", "g.yaml:1: the key `site` is missing"},
        Bad{"london", "London",
            "g.yaml:1: site: not a name: 1 to 63 of a-z, 0-9, dot and hyphen, beginning with a letter or digit"},
        Bad{"key_file: /srv/signer.key", "", "g.yaml:4: signer: exactly one of key_file and socket is needed"},
        Bad{"key_file: /srv/signer.key", "key_file: a, socket: b",
            "g.yaml:4: signer: exactly one of key_file and socket is needed"},
        Bad{"signer:", "index: /srv/archive/index\nsigner:",
            "g.yaml:4: index: must not lie in the archive, which holds evidence only"},
        Bad{"protocol: irc", "protocol: icr",
            "g.yaml:6: listeners[0].protocol: \"icr\" is not valid; did you mean `irc`? It is one of xmpp, irc"},
        Bad{"127.0.0.1:0", "localhost:6667",
            "g.yaml:6: listeners[0].address: an address to listen on is a literal one: 127.0.0.1:5222, 0.0.0.0:5222, "
            "[::]:5222"},
        Bad{"127.0.0.1:0", "127.0.0.1",
            "g.yaml:6: listeners[0].address: not an address: write host:port or [v6 address]:port"},
        Bad{"irc.internal:6667", "irc.internal:0",
            "g.yaml:6: listeners[0].route.address: port 0 cannot be connected to"},
        Bad{"irc.internal:6667", "irc.internal:66670",
            "g.yaml:6: listeners[0].route.address: not an address: write host:port or [v6 address]:port"},
        Bad{"route:", "tls: starttls, route:", "g.yaml:6: listeners[0].tls: irc has no STARTTLS; use none or direct"},
        Bad{"route:", "tls: direct, route:", "g.yaml:6: listeners[0]: the key `certificate` is missing"},
        Bad{"route:", "certificate: {chain: a, key: b}, route:",
            "g.yaml:6: listeners[0].certificate: means nothing with `tls: none`"},
        Bad{"route: {", "route: {verify: false, ",
            "g.yaml:6: listeners[0].route.verify: means nothing with `tls: none`"},
        Bad{"route:", "on_journal_failure: ignore, route:",
            "g.yaml:6: listeners[0].on_journal_failure: \"ignore\" is not valid; one of refuse, forward-and-alarm"},
        Bad{"listeners:\n", "listeners: []\n#", "g.yaml:5: listeners: empty: a gateway needs at least one listener"},
        Bad{"signer:", "limits: {connections_max: 0}\nsigner:",
            "g.yaml:4: limits.connections_max: \"0\" is not valid: a whole number from 1 to 1000000"},
        Bad{"signer:", "limits: {unit_size_bytes: 4000000}\nsigner:",
            "g.yaml:4: limits: pending_bytes_max must not be smaller than unit_size_bytes: one unit could never pass"},
        Bad{"signer:", "witnesses: [{name: a, url: 'ftp://x', vkey: a+b+c}]\nsigner:",
            "g.yaml:4: witnesses[0].url: not a URL: http://… or https://…"}));

TEST(Config, TwoListenersOfOneNameOrAddressAreRefused) {
  const std::string second = "  - {name: irc2, protocol: irc, address: 127.0.0.1:6667, route: {address: a:1}}\n";
  const std::string base = std::string{kMinimal} + second;
  EXPECT_EQ(error_of(base), "no error");
  EXPECT_NE(error_of(base + second), "no error");
  EXPECT_EQ(error_of(base + "  - {name: irc3, protocol: irc, address: 127.0.0.1:6667, route: {address: a:1}}\n"),
            "g.yaml:8: listeners[2]: 127.0.0.1:6667 already belongs to irc2");
}

TEST(Config, TheSchemaHasTheLoadersKeys) {
  yaml::KnownKeys known;
  read(file_text(CHANCERY_TESTDATA "/full.yaml"), &known);
  EXPECT_EQ(yaml::keys_of_schema(file_text(CHANCERY_TESTDATA "/../../../docs/formats/gateway.schema.json")), known);
}

TEST(Config, AddressesHaveOneSpellingEach) {
  EXPECT_EQ(parse_address("a.b:1"), (gateway::Address{"a.b", 1}));
  EXPECT_EQ(parse_address("[::1]:65535"), (gateway::Address{"::1", 65535}));
  for (const auto* bad : {"", ":1", "a:", "a", "::1:5", "[a]:1", "a b:1", "a:-1", "a:65536", "a:1x", "[::1]", "a/b:1"})
    EXPECT_FALSE(parse_address(bad)) << bad;
  EXPECT_EQ(to_string(gateway::Address{"::1", 5}), "[::1]:5");
}

}  // namespace
}  // namespace chancery::config
