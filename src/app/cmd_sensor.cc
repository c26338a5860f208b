// chancery sensor: watches a mirror port for what goes round the gateway. chancery enforcer: applies the block list.
#include "app/command.h"
#include "app/commands.h"
#include "app/watch/enforcer.h"
#include "app/watch/sensor_config.h"
#include "app/watch/sensor_process.h"
#include "yaml/yaml.h"

namespace chancery::app {

void add_sensor(CLI::App& root, Context& context) {
  auto file = std::make_shared<std::string>();
  CLI::App* command = add_command(
      root, context, "sensor", "Watch a mirror port: alert of unauthorised IM and P2P, stop it, feed the block list",
      "  chancery sensor -c /etc/chancery/sensor.yaml\n"
      "Sockets are opened first, then every right is dropped. SIGTERM ends it. The block list is `chancery blocks`.\n"
      "Exit codes: 0 stopped as asked, 1 the interface is gone, 2 it could not start.");
  command->add_option("-c,--config", *file, "The configuration file")->required()->type_name("FILE");
  on_run(*command, context, [&context, file] {
    try {
      return watch::run_sensor(context, watch::load_sensor_config(*file));
    } catch (const yaml::Error& error) {
      throw Failure(error.what());
    }
  });
}

void add_enforcer(CLI::App& root, Context& context) {
  auto file = std::make_shared<std::string>();
  CLI::App* command =
      add_command(root, context, "enforcer", "Refuse the addresses and ports of the block list, and do nothing else",
                  "  chancery enforcer -c /etc/chancery/enforcer.yaml\n"
                  "The one process with the right CAP_NET_ADMIN; `chancery blocks apply` asks it. SIGTERM ends it; "
                  "what it refused\n"
                  "ends with its time. Exit codes: 0 stopped as asked, 2 it could not start.");
  command->add_option("-c,--config", *file, "The configuration file")->required()->type_name("FILE");
  on_run(*command, context, [&context, file] {
    try {
      return watch::run_enforcer(context, watch::load_enforcer_config(*file));
    } catch (const yaml::Error& error) {
      throw Failure(error.what());
    }
  });
}

}  // namespace chancery::app
