// chancery export: an archive's records for people and programs.
#include <fmt/format.h>
#include <optional>

#include "app/command.h"
#include "app/commands.h"
#include "app/output_file.h"
#include "app/serve/keys.h"
#include "app/terminal.h"
#include "archive/export.h"
#include "core/json.h"

namespace chancery::app {
namespace {

struct Arguments {
  ArchiveOption archive;
  std::string format = "jsonl";
  std::string file;
};

void print_counts(const Context& context, const archive::ExportCounts& counts, const std::string& file) {
  if (context.json && !file.empty()) {
    std::string json;
    JsonWriter{json}
        .begin_object()
        .member("file", file)
        .member("records", counts.records)
        .member("lines", counts.lines)
        .member("erased", counts.erased)
        .member("unreadable", counts.unreadable)
        .end_object();
    context.out << json << '\n';
  }
  context.err << fmt::format("{} records, {} lines", counts.records, counts.lines);
  if (counts.erased > 0) context.err << fmt::format(", {} erased", counts.erased);
  context.err << '\n';
  if (counts.unreadable > 0)
    context.err << fmt::format(
        "{} records are none that this program reads; they are in the output as \"unreadable\"\n", counts.unreadable);
}

Exit run_export(const Context& context, const Arguments& arguments) {
  const archive::Paths paths = arguments.archive.open();
  journal::KeyStore keys = open_keys(paths.keys);
  std::optional<OutputFile> file;
  if (!arguments.file.empty()) file.emplace(arguments.file);
  const auto write = [&](std::string_view text) {
    if (file) return file->write(text);
    context.out << text;
    return context.out.good();
  };
  std::optional<Progress> progress;
  progress.emplace();
  const auto counts = archive::export_jsonl(archive::list_logs(paths.archive), keys, write, [&](std::uint64_t records) {
    progress->show(fmt::format("{} records", records));
  });
  progress.reset();
  if (!counts) throw Failure(counts.error());
  context.out.flush();
  if (file) file->finish();
  print_counts(context, *counts, arguments.file);
  return counts->unreadable == 0 ? Exit::ok : Exit::wrong;
}

}  // namespace

void add_export(CLI::App& root, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_command(root, context, "export", "Write out every record of an archive",
                                  "  chancery export -d demo --format jsonl -o records.jsonl\n"
                                  "  chancery export -d demo | jq -r 'select(.kind == \"message\") | .text'\n"
                                  "The same archive gives the same octets. FILE appears only when it is whole.");
  add_archive_option(*command, arguments->archive);
  command->add_option("--format", arguments->format, "How to write it: jsonl (docs/formats/jsonl.md)")
      ->check(CLI::IsMember({"jsonl"}))
      ->capture_default_str();
  command->add_option("-o,--output", arguments->file, "Where to; left out: standard output")->type_name("FILE");
  on_run(*command, context, [&context, arguments] { return run_export(context, *arguments); });
}

}  // namespace chancery::app
