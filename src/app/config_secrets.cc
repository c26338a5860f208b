#include "app/config_secrets.h"

#include <fmt/format.h>

#include "app/context.h"
#include "app/serve/keys.h"
#include "app/serve/witnesses.h"
#include "archive/seal/key_file.h"

namespace chancery::app {
namespace {

namespace fs = std::filesystem;
using config::Finding;
using Weight = Finding::Weight;

void check_key_store(const gateway::Config& config, std::vector<Finding>& findings) {
  const std::string folder = config.keys.string();
  std::error_code ignored;
  const auto keys = journal::KeyStore::open(journal::posix_disk(), folder, credential_file());
  if (!keys) {
    const bool is_default = folder == config.archive.string() + ".keys";
    const std::string command =
        is_default ? "chancery keys create -d " + config.archive.string() : "chancery keys create --keys " + folder;
    findings.push_back({Weight::error, "keys",
                        keys.error() == journal::KeyStoreError::missing
                            ? fmt::format("there is no key store {}; `{}` makes one", folder, command)
                            : fmt::format("the key store {} cannot be used: {}", folder, keys.error().message())});
    return;
  }
  const auto mode = fs::status(config.keys, ignored).permissions();
  if ((mode & (fs::perms::group_all | fs::perms::others_all)) != fs::perms::none)
    findings.push_back(
        {Weight::warning, "keys", fmt::format("{} can be entered by others than its owner; chmod 0700", folder)});
}

void check_signer_key(const gateway::Config& config, std::vector<Finding>& findings) {
  const fs::path& file = config.signer.key_file;
  if (file.empty()) return;
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    findings.push_back(
        {Weight::error, "signer",
         fmt::format("there is no signer key {0}; `chancery signer create --key {0} > signer.pub` makes one, and the "
                     "public half to give to whoever will verify",
                     file.string())});
    return;
  }
  if (const auto keys = seal::load_private_keys(file); !keys)
    findings.push_back({Weight::error, "signer", keys.error()});
}

void check_witnesses(const gateway::Config& config, std::vector<Finding>& findings) {
  for (const auto& witness : config.witnesses)
    if (std::error_code error; !witness.ca.empty() && !fs::is_regular_file(witness.ca, error))
      findings.push_back(
          {Weight::error, "witnesses " + witness.name, fmt::format("there is no file {}", witness.ca.string())});
  try {
    serve::make_witnesses(config);
  } catch (const Failure& failure) {
    findings.push_back({Weight::error, "witnesses", failure.what()});
  }
}

}  // namespace

std::vector<Finding> check_secrets(const gateway::Config& config) {
  std::vector<Finding> findings;
  check_key_store(config, findings);
  check_signer_key(config, findings);
  check_witnesses(config, findings);
  return findings;
}

}  // namespace chancery::app
