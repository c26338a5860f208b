// chancery archive …: what is in an archive, its index, a copy of it.
#include "app/command.h"
#include "app/commands.h"
#include "core/json.h"

namespace chancery::app {
namespace {

Exit show_status(const Context& context, const ArchiveOption& option) {
  const archive::Paths paths = option.open();
  if (context.json) {
    std::string json;
    JsonWriter{json}.begin_object().member("archive", paths.archive.string()).end_object();
    context.out << json << '\n';
  } else {
    context.out << "archive " << paths.archive.string() << '\n';
  }
  return Exit::ok;
}

}  // namespace

void add_archive(CLI::App& root, Context& context) {
  CLI::App* group = add_group(root, "archive", "Look after an archive");
  auto option = std::make_shared<ArchiveOption>();
  CLI::App* status = add_command(*group, context, "status", "Say what the archive holds and how far it is indexed",
                                 "  chancery archive status -d /var/lib/chancery/archive\n"
                                 "  chancery archive status -d demo --json");
  add_archive_option(*status, *option);
  on_run(*status, context, [&context, option] { return show_status(context, *option); });
}

}  // namespace chancery::app
