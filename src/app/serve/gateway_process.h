#pragma once
// `chancery gateway -c FILE`: the gateway with its journal, sealer and index, from configuration to exit.
#include <filesystem>

#include "app/context.h"

namespace chancery::app::serve {

// Runs until SIGTERM or SIGINT (drains, Exit::ok) or until the journal fails where no listener may go on without it
// (Exit::wrong). SIGHUP reloads configuration, policy and certificates; what is wrong is refused whole. Throws Failure
// and what configuration and policy loading throw when it cannot start.
Exit run_gateway(const Context& context, const std::filesystem::path& config_file);

}  // namespace chancery::app::serve
