// chancery archive …: what an archive holds, its index, a copy of it.
#include <chrono>
#include <fmt/format.h>

#include "app/command.h"
#include "app/commands.h"
#include "app/keys.h"
#include "app/terminal.h"
#include "archive/backup.h"
#include "archive/logs.h"
#include "archive/reindex.h"
#include "archive/seal/checkpoint_store.h"
#include "archive/search.h"
#include "core/json.h"

namespace chancery::app {
namespace {

// --- status ---

struct LogStatus {
  archive::Log log;
  std::uint64_t records = 0;
  std::uint64_t published = 0;
  std::string problem;  // empty: readable to its end
  archive::LogCoverage index;
};

// How many records a log holds: the last index that its reader gives, found by doubling and halving.
std::uint64_t count_records(journal::Reader& reader, std::string& problem) {
  const auto has = [&](std::uint64_t index) {
    const auto record = reader.at(index);
    if (!record && record.error() != std::errc::result_out_of_range) problem = record.error().message();
    return record.has_value();
  };
  if (!has(0)) return 0;
  std::uint64_t there = 0, beyond = 1;
  while (has(beyond)) {
    there = beyond;
    beyond *= 2;
  }
  while (beyond - there > 1) {
    const std::uint64_t middle = there + (beyond - there) / 2;
    (has(middle) ? there : beyond) = middle;
  }
  return beyond;
}

std::vector<LogStatus> collect_status(const archive::Paths& paths, bool deep) {
  std::vector<LogStatus> all;
  for (auto& log : archive::list_logs(paths.archive)) {
    LogStatus& status = all.emplace_back();
    status.index = archive::coverage(paths.index, {log.origin}, deep).at(0);
    status.published = seal::published_size(journal::posix_disk(), log.folder);
    auto reader = archive::open_reader(log, nullptr);
    if (reader)
      status.records = count_records(*reader, status.problem);
    else
      status.problem = reader.error();
    status.log = std::move(log);
  }
  return all;
}

std::string status_json(const archive::Paths& paths, const std::vector<LogStatus>& logs) {
  std::string text;
  JsonWriter json{text};
  json.begin_object().member("archive", paths.archive.string()).member("index", paths.index.string());
  json.key("logs").begin_array();
  for (const auto& status : logs) {
    json.begin_object().member("log", status.log.origin).member("records", status.records);
    json.member("published", status.published).member("being_written", !status.log.at_rest);
    json.member("indexed", status.index.complete_to).key("problem");
    status.problem.empty() ? json.null() : json.value(status.problem);
    json.key("damaged_index_files").begin_array();
    for (const auto& file : status.index.damaged) json.value(file);
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return text;
}

void print_status(std::ostream& out, const archive::Paths& paths, const std::vector<LogStatus>& logs) {
  out << "archive " << paths.archive.string() << '\n';
  if (logs.empty()) out << "It holds no log yet.\n";
  for (const auto& status : logs) {
    out << fmt::format("{}{}\n", status.log.origin, status.log.at_rest ? "" : "  (being written)");
    out << fmt::format("  records    {}\n  published  {}\n  indexed    {}\n", status.records, status.published,
                       status.index.complete_to);
    if (!status.problem.empty()) out << fmt::format("  problem    {}: run `chancery verify`\n", status.problem);
    for (const auto& file : status.index.damaged)
      out << fmt::format("  index      {} is damaged: run `chancery archive reindex`\n", file);
  }
}

Exit show_status(const Context& context, const ArchiveOption& option, bool deep) {
  const archive::Paths paths = option.open();
  const auto logs = collect_status(paths, deep);
  if (context.json)
    context.out << status_json(paths, logs) << '\n';
  else
    print_status(context.out, paths, logs);
  const bool wrong =
      std::ranges::any_of(logs, [](const LogStatus& s) { return !s.problem.empty() || !s.index.damaged.empty(); });
  return wrong ? Exit::wrong : Exit::ok;
}

// --- reindex ---

struct ReindexCounts {
  std::uint64_t logs = 0, records = 0, unreadable = 0;
};

void reindex_log(const archive::Paths& paths, const archive::Log& log, journal::KeyStore& keys, bool missing_only,
                 ReindexCounts& counts) {
  archive::LogIndexWriter writer{paths.index, log.origin};
  auto reader = archive::open_reader(log, &keys);
  if (!reader) throw Failure(reader.error());
  if (!missing_only || !archive::belongs_to(writer, *reader)) writer.clear();
  Progress progress;
  const auto done = archive::catch_up(writer, log, *reader, [&](std::uint64_t reached) {
    progress.show(fmt::format("{}: {} records", log.origin, reached));
    return true;
  });
  if (!done) throw Failure(done.error());
  ++counts.logs;
  counts.records += done->records;
  counts.unreadable += done->unreadable;
}

Exit reindex(const Context& context, const ArchiveOption& option, bool missing_only) {
  const archive::Paths paths = option.open();
  journal::KeyStore keys = open_keys(paths.keys);
  ReindexCounts counts;
  std::vector<std::string> busy;
  for (const auto& log : archive::list_logs(paths.archive)) {
    try {
      reindex_log(paths, log, keys, missing_only, counts);
    } catch (const archive::LogIndexWriter::Busy&) {
      busy.push_back(log.origin);
    }
  }
  if (context.json) {
    std::string text;
    JsonWriter json{text};
    json.begin_object().member("logs", counts.logs).member("records", counts.records);
    json.member("unreadable", counts.unreadable).key("skipped").begin_array();
    for (const auto& log : busy) json.value(log);
    context.out << (json.end_array().end_object(), text) << '\n';
  } else {
    context.out << fmt::format("{} records of {} logs are indexed\n", counts.records, counts.logs);
  }
  for (const auto& log : busy)
    context.err << fmt::format("{} was left out: a gateway is running and keeps its index. Stop it first.\n", log);
  return busy.empty() ? Exit::ok : Exit::unsure;
}

// --- backup ---

Exit back_up(const Context& context, const ArchiveOption& option, const std::string& target) {
  const archive::Paths paths = option.open();
  Progress progress;
  const auto backup =
      archive::back_up(paths.archive, target, std::chrono::system_clock::now(),
                       [&](std::uint64_t octets) { progress.show(fmt::format("{} MiB copied", octets >> 20)); });
  if (!backup) throw Failure(backup.error());
  if (context.json) {
    std::string text;
    JsonWriter json{text};
    json.begin_object().member("target", target).member("files", backup->files).member("octets", backup->octets);
    json.member("manifest_sha256", backup->manifest_sha256).key("logs").begin_array();
    for (const auto& log : backup->logs)
      json.begin_object().member("log", log.log).member("published", log.published).end_object();
    context.out << (json.end_array().end_object(), text) << '\n';
    return Exit::ok;
  }
  for (const auto& log : backup->logs)
    context.out << fmt::format("{}: up to the checkpoint over {} records\n", log.log, log.published);
  context.out << fmt::format("{} files, {} octets in {}\n", backup->files, backup->octets, target);
  context.out << fmt::format("SHA-256 of backup.json: {}\n", backup->manifest_sha256);
  context.out << fmt::format("The key store is not in it. Without a copy of {} the messages cannot be read.\n",
                             paths.keys.string());
  return Exit::ok;
}

void add_status(CLI::App& group, Context& context) {
  struct Arguments {
    ArchiveOption archive;
    bool deep = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_command(group, context, "status", "Say what the archive holds and how far it is indexed",
                                  "  chancery archive status -d /var/lib/chancery/archive\n"
                                  "  chancery archive status -d demo --check-index --json\n"
                                  "Exit code 1: a log cannot be read to its end, or a file of the index is damaged.");
  add_archive_option(*command, arguments->archive);
  command->add_flag("--check-index", arguments->deep, "Read every file of the index and check it");
  on_run(*command, context,
         [&context, arguments] { return show_status(context, arguments->archive, arguments->deep); });
}

void add_reindex(CLI::App& group, Context& context) {
  struct Arguments {
    ArchiveOption archive;
    bool missing = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_command(group, context, "reindex", "Make the search index again from the journal",
                                  "  chancery archive reindex -d demo\n"
                                  "  chancery archive reindex -d demo --missing\n"
                                  "Nothing is lost by it: the index is made of the journal only.");
  add_archive_option(*command, arguments->archive);
  command->add_flag("--missing", arguments->missing, "Keep what is sound, and add only what is missing");
  on_run(*command, context, [&context, arguments] { return reindex(context, arguments->archive, arguments->missing); });
}

void add_backup(CLI::App& group, Context& context) {
  struct Arguments {
    ArchiveOption archive;
    std::string target;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_command(group, context, "backup", "Copy an archive, also while the gateway is running",
                                  "  chancery archive backup -d /var/lib/chancery/archive -o /mnt/backup/2026-05-03\n"
                                  "  chancery verify /mnt/backup/2026-05-03 --key log.vkey\n"
                                  "docs/guide/backup.md tells how to restore.");
  add_archive_option(*command, arguments->archive);
  command->add_option("-o,--output", arguments->target, "A folder that is empty or not there yet")
      ->required()
      ->type_name("DIR");
  on_run(*command, context, [&context, arguments] { return back_up(context, arguments->archive, arguments->target); });
}

}  // namespace

void add_archive(CLI::App& root, Context& context) {
  CLI::App* group = add_group(root, context, "archive", "Look after an archive: status, reindex, backup",
                              "  chancery archive status -d /var/lib/chancery/archive\n"
                              "  chancery archive reindex -d /var/lib/chancery/archive\n"
                              "  chancery archive backup -d /var/lib/chancery/archive -o /mnt/backup/2026-05-03");
  add_status(*group, context);
  add_reindex(*group, context);
  add_backup(*group, context);
}

}  // namespace chancery::app
