#include "app/config_secrets.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "archive/seal/key_file.h"
#include "archive/testing/records.h"
#include "journal/keystore.h"

namespace chancery::app {
namespace {

namespace fs = std::filesystem;
using archive::testing::Folder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ConfigSecrets : public ::testing::Test {
 protected:
  ConfigSecrets() {
    config_.archive = folder_.path() / "archive";
    config_.keys = folder_.path() / "archive.keys";
    config_.signer.key_file = folder_.path() / "signer.key";
  }
  void make_all() {
    EXPECT_FALSE(journal::KeyStore::create(journal::posix_disk(), config_.keys.string()));
    EXPECT_TRUE(seal::create_private_key(config_.signer.key_file));
  }
  std::vector<std::string> findings() const {
    std::vector<std::string> out;
    for (const auto& [weight, place, sentence] : check_secrets(config_))
      out.push_back((weight == config::Finding::Weight::error ? "error: " : "warning: ") + place + ": " + sentence);
    return out;
  }

  Folder folder_;
  gateway::Config config_;
};

TEST_F(ConfigSecrets, WhatIsThereAndPrivateIsWell) {
  make_all();
  EXPECT_THAT(findings(), IsEmpty());
}

TEST_F(ConfigSecrets, WhatIsMissingIsNamedWithTheCommandThatMakesIt) {
  EXPECT_THAT(findings(),
              ElementsAre(HasSubstr("error: keys: there is no key store " + config_.keys.string() +
                                    "; `chancery keys create -d " + config_.archive.string() + "` makes one"),
                          HasSubstr("error: signer: there is no signer key " + config_.signer.key_file.string() +
                                    "; `chancery signer create --key")));
  config_.keys = folder_.path() / "elsewhere";
  EXPECT_THAT(findings()[0], HasSubstr("`chancery keys create --keys " + config_.keys.string() + "`"));
}

TEST_F(ConfigSecrets, WhatOthersMayReadIsRefusedAsTheGatewayWould) {
  make_all();
  fs::permissions(config_.signer.key_file, fs::perms::group_read, fs::perm_options::add);
  EXPECT_THAT(findings(), ElementsAre(HasSubstr("chmod 600")));
  fs::permissions(config_.signer.key_file, fs::perms::group_read, fs::perm_options::remove);
  fs::permissions(config_.keys, fs::perms::others_read | fs::perms::others_exec, fs::perm_options::add);
  EXPECT_THAT(findings(), ElementsAre(HasSubstr("warning: keys: ")));
  fs::permissions(config_.keys / "master-00000001.key", fs::perms::others_read, fs::perm_options::add);
  EXPECT_THAT(findings(), ElementsAre(HasSubstr("error: keys: ")));
}

TEST_F(ConfigSecrets, WhatIsNoKeyIsSaid) {
  make_all();
  std::ofstream(config_.signer.key_file) << "junk\n";
  EXPECT_THAT(findings(), ElementsAre(HasSubstr("not an Ed25519 private key")));
}

TEST_F(ConfigSecrets, AWitnessThatCannotBeAskedIsNamed) {
  make_all();
  config_.witnesses = {{"second", "https://w.example", "w.example+00000000+AAAA", folder_.path() / "no.pem"}};
  EXPECT_THAT(findings(), ElementsAre(HasSubstr("error: witnesses second: there is no file"),
                                      HasSubstr("error: witnesses: witness second: its vkey is not")));
}

}  // namespace
}  // namespace chancery::app
