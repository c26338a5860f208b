#pragma once
// Who signs a log's checkpoints, as the configuration says.
#include <filesystem>
#include <memory>

#include "archive/seal/signer_process.h"
#include "gateway/config.h"

namespace chancery::app::serve {

// A connection to the signer's socket, or a child of this program that holds `key_file`, remembers in `state` what it
// signed and signs for this site and node only.
std::unique_ptr<seal::SignerClient> make_signer(const gateway::Config& config, const std::filesystem::path& state);

}  // namespace chancery::app::serve
