#pragma once
// The witnesses of a configuration.
#include <memory>
#include <vector>

#include "archive/witness/witness_http.h"
#include "gateway/config.h"

namespace chancery::app::serve {

// Throws Failure that names the witness.
std::vector<std::unique_ptr<witness::HttpCosigner>> make_witnesses(const gateway::Config& config);

}  // namespace chancery::app::serve
