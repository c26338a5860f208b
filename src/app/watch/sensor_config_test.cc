#include "app/watch/sensor_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "yaml/yaml.h"

namespace chancery::app::watch {
namespace {

using ::testing::HasSubstr;

SensorConfig parse(const std::string& text) { return parse_sensor_config(text, "sensor.yaml", "/etc/chancery"); }

std::string fault(const std::string& text) {
  try {
    parse(text);
  } catch (const yaml::Error& error) {
    return error.what();
  }
  return "";
}

constexpr const char* kLeast = "interface: eth1\nfolder: state\n";

TEST(SensorConfig, TheLeastObserves) {
  const SensorConfig config = parse(kLeast);
  EXPECT_EQ(config.interface, "eth1");
  EXPECT_EQ(config.folder, "/etc/chancery/state");
  EXPECT_EQ(config.stopping.otherwise, sensor::StopAction::observe);
  EXPECT_FALSE(config.sends());
}

TEST(SensorConfig, Everything) {
  const SensorConfig config = parse(R"(
interface: eth1
folder: /var/lib/chancery/sensor
ring_mib: 128
snap_length: 2000
promiscuous: false
user: chancery
hosts: [ours.tsv]
report_seconds: 10
inside: [10.0.0.0/8]
gateways: [10.0.0.5, "10.0.0.6:5222", "[2001:db8::1]:6697"]
stopping:
  action: alert
  rules:
    - {categories: [p2p], action: reset}
    - {applications: [IRC, Jabber], clients: [10.1.0.0/16], servers: [198.51.100.0/24], action: observe}
  send_from: eth2
  per_second: 50
  burst: 60
  kill_switch: stop
blocks:
  categories: [im]
  allow: [Slack]
  never: [example.com, 198.51.100.0/24]
  min_flows: 3
  auto_approve:
    - {categories: [p2p], min_clients: 2, min_flows: 5, expires_hours: 24}
)");
  EXPECT_TRUE(config.sends());
  ASSERT_EQ(config.stopping.rules.size(), 2U);
  EXPECT_EQ(config.stopping.rules[1].applications, (std::vector<std::string>{"IRC", "Jabber"}));
  EXPECT_EQ(config.kill_switch, "/etc/chancery/stop");
  EXPECT_EQ(config.gateways.size(), 3U);
  EXPECT_EQ(config.gateways[0].port, 0);
  EXPECT_EQ(config.gateways[2].port, 6697);
  EXPECT_EQ(config.wish.never_names, std::vector<std::string>{"example.com"});
  EXPECT_EQ(config.wish.never_addresses.size(), 1U);
  ASSERT_EQ(config.auto_approve.size(), 1U);
  sensor::BlockEntry entry;
  entry.category = sensor::Category::p2p;
  entry.client_count = 2;
  entry.flows = 5;
  EXPECT_TRUE(config.auto_approve[0].fits(entry));
  entry.client_count = 1;
  EXPECT_FALSE(config.auto_approve[0].fits(entry));
}

TEST(SensorConfig, AnArchiveHasTheGatewaysKeys) {
  EXPECT_FALSE(parse(kLeast).archive);
  const auto log = parse(std::string{kLeast} +
                         "archive: {folder: ../archive/, site: hq, node: sensor-1, signer: {key_file: sensor.key}, "
                         "state: /var/lib/state}\n")
                       .archive;
  ASSERT_TRUE(log);
  EXPECT_EQ(log->archive, "/etc/archive");
  EXPECT_EQ(log->keys, "/etc/archive.keys");
  EXPECT_EQ(log->index, "/etc/archive.index");
  EXPECT_EQ(log->state, "/var/lib/state");
  EXPECT_EQ(log->signer.key_file, "/etc/chancery/sensor.key");
  EXPECT_EQ(log->node, "sensor-1");
}

TEST(SensorConfig, FaultsInTheArchiveNameLineAndKey) {
  const auto with = [](const std::string& keys) { return std::string{kLeast} + "archive:\n" + keys; };
  EXPECT_THAT(fault(with("  site: hq\n")), HasSubstr("sensor.yaml:3: archive"));
  EXPECT_THAT(fault(with("  folder: a\n  site: hq\n  node: S 1\n")),
              HasSubstr("sensor.yaml:6: archive.node: not a name"));
  EXPECT_THAT(fault(with("  folder: a\n  site: hq\n  node: s\n  signer: {}\n")), HasSubstr("exactly one of"));
  EXPECT_THAT(fault(with("  folder: a\n  site: hq\n  node: s\n  signer: {socket: s}\n  keys: a/keys\n")),
              HasSubstr("sensor.yaml:8: archive.keys: must not lie in the archive"));
  EXPECT_THAT(fault(with("  folder: a\n  limits: {}\n")), HasSubstr("limits"));
}

TEST(SensorConfig, FaultsNameLineKeyAndWhatIsValid) {
  EXPECT_THAT(fault("folder: x\n"), HasSubstr("interface"));
  EXPECT_THAT(fault(std::string{kLeast} + "ring: 3\n"), HasSubstr("sensor.yaml:3"));
  EXPECT_THAT(fault(std::string{kLeast} + "stopping: {action: kill}\n"), HasSubstr("observe, alert"));
  EXPECT_THAT(fault(std::string{kLeast} + "inside: [10.0.0.1/8]\n"), HasSubstr("not a network"));
  EXPECT_THAT(fault(std::string{kLeast} + "gateways: [example.com]\n"), HasSubstr("not an address"));
  EXPECT_THAT(fault(std::string{kLeast} + "blocks: {never: [\"a b\"]}\n"), HasSubstr("neither a name"));
  EXPECT_THAT(fault(std::string{kLeast} + "stopping: {rules: [{categories: [p2p]}]}\n"), HasSubstr("action"));
}

}  // namespace
}  // namespace chancery::app::watch
