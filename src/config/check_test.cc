#include "config/check.h"

#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

namespace chancery::config {
namespace {

namespace fs = std::filesystem;
using Weight = Finding::Weight;

// A folder with two certificates made by openssl(1), as an operator would.
class ConfigCheck : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::string name = (fs::temp_directory_path() / "chancery-check-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    for (const auto* certificate : {"im", "other"}) make_certificate(certificate, "-days 365");
    make_certificate("short", "-days 5");
    std::ofstream{folder_ / "signer.key"} << "key\n";
    std::ofstream{folder_ / "junk.pem"} << "junk\n";
    for (const auto& entry : fs::directory_iterator(folder_))
      if (entry.path().extension() == ".key") fs::permissions(entry.path(), fs::perms::owner_read);
  }
  static void TearDownTestSuite() { fs::remove_all(folder_); }

  static void make_certificate(const std::string& name, const std::string& days) {
    const auto path = (folder_ / name).string();
    const auto command = fmt::format(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN={0} -addext "
        "subjectAltName=DNS:{0}.test,IP:127.0.0.1 {2} -keyout {1}.key -out {1}.pem 2>/dev/null",
        name, path, days);
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }

  static gateway::Config good() {
    gateway::Config config;
    config.archive = folder_ / "archive";
    config.index = folder_ / "index";
    config.keys = folder_ / "keys";
    config.state = folder_ / "state";
    config.signer.key_file = folder_ / "signer.key";
    config.policy = folder_ / "p.yaml";
    std::ofstream{config.policy} << "version: 1\n";
    gateway::Listener listener;
    listener.name = "xmpp";
    listener.address = {"127.0.0.1", 0};
    listener.host = "im.test";
    listener.tls = gateway::Tls::direct;
    listener.certificate = {gateway::Certificate::Source::file, folder_ / "im.pem", folder_ / "im.key"};
    listener.route.address = {"127.0.0.1", 5222};
    config.listeners.push_back(listener);
    return config;
  }

  static std::vector<std::string> findings(const gateway::Config& config, int days_later = 0) {
    std::vector<std::string> out;
    const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    for (const auto& [weight, place, sentence] : check(config, now + std::chrono::days{days_later})) {
      auto text = fmt::format("{}: {}: {}", weight == Weight::error ? "error" : "warning", place, sentence);
      for (auto at = text.find(folder_.string()); at != std::string::npos; at = text.find(folder_.string()))
        text.replace(at, folder_.string().size(), "F");
      out.push_back(std::move(text));
    }
    return out;
  }

  using Found = std::vector<std::string>;
  static inline fs::path folder_;
};

TEST_F(ConfigCheck, AGoodConfigurationHasNoFindings) { EXPECT_EQ(findings(good()), Found{}); }

TEST_F(ConfigCheck, AKeyMustBelongToItsCertificate) {
  auto config = good();
  config.listeners[0].certificate.key = folder_ / "other.key";
  EXPECT_EQ(findings(config),
            (Found{"error: listeners[0] xmpp: F/other.key does not belong to the certificate in F/im.pem"}));
}

TEST_F(ConfigCheck, MissingAndForeignFilesAreNamed) {
  auto config = good();
  config.listeners[0].certificate.chain = folder_ / "junk.pem";
  config.listeners[0].certificate.key = folder_ / "none.key";
  config.listeners[0].route.ca = folder_ / "junk.pem";
  config.listeners[0].route.tls = gateway::Tls::direct;
  EXPECT_EQ(findings(config), (Found{"error: listeners[0] xmpp: F/junk.pem holds no PEM certificate",
                                     "error: listeners[0] xmpp: cannot read F/none.key: No such file or directory",
                                     "error: listeners[0] xmpp: F/junk.pem holds no PEM certificate"}));
}

TEST_F(ConfigCheck, ExpiryAndNamesAreLookedAt) {
  auto config = good();
  auto& certificate = config.listeners[0].certificate;
  certificate = {certificate.source, folder_ / "short.pem", folder_ / "short.key"};
  config.listeners[0].host = "short.test";
  EXPECT_EQ(findings(config), (Found{"warning: listeners[0] xmpp: F/short.pem expires within 30 days"}));
  EXPECT_EQ(findings(config, 6), (Found{"error: listeners[0] xmpp: F/short.pem has expired"}));
  EXPECT_EQ(findings(config, -2), (Found{"error: listeners[0] xmpp: F/short.pem is not valid yet"}));
  config.listeners[0].host = "127.0.0.1";
  EXPECT_EQ(findings(config).size(), 1U) << "an address is looked for among the addresses";
  config = good();
  config.listeners[0].host = "chat.test";
  EXPECT_EQ(findings(config), (Found{"warning: listeners[0] xmpp: the certificate does not carry the name chat.test; "
                                     "clients that check it will not connect"}));
}

TEST_F(ConfigCheck, SecretsThatOthersCanReadAreTold) {
  fs::permissions(folder_ / "im.key", fs::perms::owner_read | fs::perms::others_read);
  EXPECT_EQ(findings(good()),
            (Found{"warning: listeners[0] xmpp: F/im.key can be read or changed by others; chmod 0600 or 0640"}));
  fs::permissions(folder_ / "im.key", fs::perms::owner_read);
}

TEST_F(ConfigCheck, ABadPolicyIsAnErrorWithItsLine) {
  auto config = good();
  std::ofstream{config.policy} << "version: 1\nlexikon: {}\n";
  ASSERT_EQ(findings(config).size(), 1U);
  EXPECT_TRUE(
      findings(config)[0].starts_with("error: policy: F/p.yaml:2: lexikon: unknown key; did you mean `lexicon`?"))
      << findings(config)[0];
}

TEST_F(ConfigCheck, WhatIsUnsafeIsSaid) {
  auto config = good();
  auto& listener = config.listeners[0];
  listener.tls = gateway::Tls::none;
  listener.address.host = "0.0.0.0";
  listener.on_journal_failure = gateway::OnJournalFailure::forward_and_alarm;
  listener.route.address.host = "im.internal";
  EXPECT_EQ(findings(config).size(), 3U);
  listener.route.tls = gateway::Tls::starttls;
  listener.route.verify = false;
  EXPECT_EQ(findings(config)[0],
            "warning: listeners[0] xmpp: the upstream's certificate is not verified: anybody on the way could be the "
            "server");
}

TEST_F(ConfigCheck, AnAddressOfAnotherMachineCannotBeListenedOn) {
  auto config = good();
  config.listeners[0].address.host = "192.0.2.1";  // RFC 5737: for documentation, nobody's
  EXPECT_EQ(findings(config),
            (Found{"error: listeners[0] xmpp: cannot listen on 192.0.2.1: Cannot assign requested address"}));
}

}  // namespace
}  // namespace chancery::config
