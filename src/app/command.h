#pragma once
// Helpers for the cmd_*.cc files. The only place, with main.cc and those files, that sees CLI11.
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/context.h"
#include "archive/paths.h"

namespace chancery::app {

// A command `name` below `parent`, with --json, and with `examples` (one a line, "chancery …") below its help.
CLI::App* add_command(CLI::App& parent, Context& context, const std::string& name, const std::string& description,
                      const std::string& examples);

// A word that only groups others (`archive`, `keys`, `policy`): one of its commands must follow. `examples` as above.
CLI::App* add_group(CLI::App& parent, Context& context, const std::string& name, const std::string& description,
                    const std::string& examples);

// An option that may be given several times, each time with one value: the next word is not taken as another.
CLI::Option* add_repeatable(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                            const std::string& description);

// Runs `action()` when `command` was given on the command line. `action` returns an Exit and may throw Failure.
template <class Action>
void on_run(CLI::App& command, Context& context, Action action) {
  command.callback([&context, action] { context.run = action; });
}

// -d/--archive, --index and --keys. Filled by the parser; call `open()` when the command runs.
struct ArchiveOption {
  std::string folder, index, keys;

  archive::Paths paths() const;  // where things would be; nothing is looked at but which folder is meant
  archive::Paths open() const;   // the same; throws Failure when there is no archive
};
void add_archive_option(CLI::App& command, ArchiveOption& option);

}  // namespace chancery::app
