// chancery up: everything on loopback, for a first look.
#include "app/command.h"
#include "app/commands.h"
#include "app/up/up.h"

namespace chancery::app {

void add_up(CLI::App& root, Context& context) {
  auto options = std::make_shared<up::Options>();
  options->folder = "chancery-data";
  CLI::App* command =
      add_command(root, context, "up", "Start everything on this machine only, in one folder, and follow what happens",
                  "  chancery up\n"
                  "  chancery up --dir demo --show-text\n"
                  "Ctrl-C stops all that was started; started again on the same folder, everything is still there.");
  command->add_option("--dir", options->folder, "The folder that holds everything")->capture_default_str();
  command->add_flag("--show-text", options->show_text, "Show message text in the lines that follow");
  command->add_flag("!--no-sample", options->sample, "Do not have the sample conversation");
  command->add_flag("!--check", options->follow, "Stop again as soon as everything is up");
  on_run(*command, context, [&context, options] { return up::run(context, *options); });
}

}  // namespace chancery::app
