#include "app/config_probe.h"

#include <gtest/gtest.h>

namespace chancery::app {
namespace {

ProbeResult offering(std::vector<std::string> mechanisms) {
  ProbeResult result;
  result.tls_version = "TLSv1.2";
  result.mechanisms = std::move(mechanisms);
  return result;
}

TEST(ConfigProbe, AServerThatDoesNotBindIsWell) { EXPECT_TRUE(explain(offering({"PLAIN", "SCRAM-SHA-1"})).empty()); }

TEST(ConfigProbe, ARefusedFlagNamesTheSettings) {
  auto result = offering({"PLAIN", "SCRAM-SHA-1"});
  result.y_flag = ProbeResult::Flag::refused;
  result.y_condition = "malformed-request";
  ASSERT_EQ(explain(result).size(), 1U);
  const auto sentence = explain(result)[0];
  for (const auto* part : {"malformed-request, over TLSv1.2", "tlsv1_2+", "disable_sasl_mechanisms: [SCRAM-SHA-1-PLUS"})
    EXPECT_NE(sentence.find(part), std::string::npos) << part;
}

TEST(ConfigProbe, AnOfferOfBindingIsNamed) {
  auto result = offering({"SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"});
  result.bindings = {"tls-exporter"};
  ASSERT_EQ(explain(result).size(), 1U);
  EXPECT_TRUE(explain(result)[0].starts_with("the server offers SCRAM-SHA-1-PLUS, channel binding tls-exporter: "));
}

TEST(ConfigProbe, NoMechanismsAtAllAreNoticed) { EXPECT_EQ(explain(offering({})).size(), 1U); }

TEST(ConfigProbe, AnUpstreamThatIsNotThereIsAnError) {
  gateway::Route route;
  route.address = {"127.0.0.1", 1};  // tcpmux: nobody serves it
  const auto result = probe_xmpp(route, "im.test", std::chrono::seconds{5});
  EXPECT_EQ(result.error, "cannot connect to 127.0.0.1:1: Connection refused");
  EXPECT_EQ(explain(result)[0], "the upstream could not be asked: " + result.error);
}

}  // namespace
}  // namespace chancery::app
