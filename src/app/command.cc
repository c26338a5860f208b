#include "app/command.h"

#include <filesystem>
#include <fmt/format.h>
#include <system_error>

namespace chancery::app {

CLI::App* add_command(CLI::App& parent, Context& context, const std::string& name, const std::string& description,
                      const std::string& examples) {
  CLI::App* command = parent.add_subcommand(name, description);
  command->add_flag("--json", context.json, "Print JSON");
  command->footer("Examples:\n" + examples);
  return command;
}

CLI::App* add_group(CLI::App& parent, Context& context, const std::string& name, const std::string& description,
                    const std::string& examples) {
  CLI::App* group = parent.add_subcommand(name, description);
  group->add_flag("--json", context.json, "Print JSON")->group("");  // also taken before the command
  group->require_subcommand(1);
  group->footer("Examples:\n" + examples + fmt::format("\n`chancery {} COMMAND --help` explains each command.", name));
  return group;
}

CLI::Option* add_repeatable(CLI::App& command, const std::string& name, std::vector<std::string>& values,
                            const std::string& description) {
  return command.add_option(name, values, description)->allow_extra_args(false);
}

archive::Paths ArchiveOption::paths() const {
  archive::Paths paths = archive::paths_of(folder);
  if (!index.empty()) paths.index = index;
  if (!keys.empty()) paths.keys = keys;
  return paths;
}

archive::Paths ArchiveOption::open() const {
  archive::Paths found = paths();
  std::error_code error;
  if (!std::filesystem::exists(folder, error)) throw Failure(fmt::format("there is no folder {}", folder));
  if (!archive::is_archive(found.archive))
    throw Failure(
        fmt::format("{} is not an archive: it holds no archive.json. Give the archive's folder, or the "
                    "folder that `chancery up --dir` made.",
                    folder));
  return found;
}

void add_archive_option(CLI::App& command, ArchiveOption& option) {
  command.add_option("-d,--archive", option.folder, "The archive's folder, or the folder of `chancery up`")
      ->required()
      ->type_name("ARCHIVE");
  command.add_option("--index", option.index, "Folder of the search index, where it is not ARCHIVE.index")
      ->type_name("DIR");
  command.add_option("--keys", option.keys, "Folder of the key store, where it is not ARCHIVE.keys")->type_name("DIR");
}

}  // namespace chancery::app
