// chancery gateway: the proxy itself.
#include "app/command.h"
#include "app/commands.h"
#include "app/serve/gateway_process.h"

namespace chancery::app {

void add_gateway(CLI::App& root, Context& context) {
  auto file = std::make_shared<std::string>();
  CLI::App* command = add_command(root, context, "gateway", "Run the gateway: record each message, then forward it",
                                  "  chancery gateway -c /etc/chancery/gateway.yaml\n"
                                  "SIGTERM drains and ends it, SIGHUP reloads configuration, policy and certificates.\n"
                                  "Exit codes: 0 stopped as asked, 1 the journal failed, 2 it could not start.");
  command->add_option("-c,--config", *file, "The configuration file")->required()->type_name("FILE");
  on_run(*command, context, [&context, file] { return serve::run_gateway(context, *file); });
}

}  // namespace chancery::app
