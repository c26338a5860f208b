#pragma once
// The part of `config check` that opens secrets as the gateway would: key store, signer's key, witnesses' keys.
#include <vector>

#include "config/check.h"

namespace chancery::app {

// Each finding names the file, and the command that makes what is missing. Changes nothing.
std::vector<config::Finding> check_secrets(const gateway::Config& config);

}  // namespace chancery::app
