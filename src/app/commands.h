#pragma once
// Every command of `chancery`, one line each, in the order of `chancery --help`. A command is one file: cmd_<name>.cc.
#include "app/context.h"

namespace CLI {
class App;
}

namespace chancery::app {

void add_gateway(CLI::App& root, Context& context);
void add_up(CLI::App& root, Context& context);
void add_search(CLI::App& root, Context& context);
void add_export(CLI::App& root, Context& context);
void add_verify(CLI::App& root, Context& context);
void add_prove(CLI::App& root, Context& context);
void add_config(CLI::App& root, Context& context);
void add_policy(CLI::App& root, Context& context);
void add_archive(CLI::App& root, Context& context);
void add_keys(CLI::App& root, Context& context);
void add_signer(CLI::App& root, Context& context);
void add_witness(CLI::App& root, Context& context);
void add_detect(CLI::App& root, Context& context);
void add_sensor(CLI::App& root, Context& context);
void add_enforcer(CLI::App& root, Context& context);
void add_blocks(CLI::App& root, Context& context);

// All of the above.
void add_commands(CLI::App& root, Context& context);

// Parses the arguments and runs what they ask for. Never throws; returns the process's exit code.
int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err);

}  // namespace chancery::app
