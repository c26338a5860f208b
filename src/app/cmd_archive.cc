// chancery archive …: what an archive holds, its index, a copy of it.
#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/archive_status.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/serve/keys.h"
#include "app/terminal.h"
#include "archive/backup.h"
#include "archive/logs.h"
#include "archive/reindex.h"
#include "core/json.h"

namespace chancery::app {
namespace {

// --- status ---

void put_time(JsonWriter& json, std::string_view name, const std::optional<Instant>& time) {
  json.key(name);
  time ? json.value(to_rfc3339(*time)) : json.null();
}

void put_strings(JsonWriter& json, std::string_view name, const std::vector<std::string>& values) {
  json.key(name).begin_array();
  for (const auto& value : values) json.value(value);
  json.end_array();
}

std::uint64_t lag_of(const LogStatus& status) { return status.journaled - std::min(status.journaled, status.indexed); }

std::string status_json(const ArchiveStatus& archive) {
  std::string text;
  JsonWriter json{text};
  json.begin_object().member("archive", archive.paths.archive.string()).member("index", archive.paths.index.string());
  json.member("ok", archive.is_sound());
  put_strings(json, "problems", archive.problems);
  json.key("logs").begin_array();
  for (const auto& status : archive.logs) {
    json.begin_object().member("log", status.log.origin).member("records", status.journaled);
    json.member("published", status.published).member("being_written", !status.log.at_rest);
    json.member("indexed", status.indexed).member("index_lag", lag_of(status));
    json.member("journaled", status.journaled).member("sealed", status.sealed).member("witnessed", status.witnessed);
    put_time(json, "published_time", status.published_time);
    put_time(json, "witnessed_time", status.witnessed_time);
    json.member("segments", status.segments).member("segment_bytes", status.segment_octets);
    json.member("bytes", status.octets).key("problem");
    status.problems.empty() ? json.null() : json.value(status.problems.front());
    put_strings(json, "problems", status.problems);
    put_strings(json, "damaged_index_files", status.damaged_index);
    json.end_object();
  }
  json.end_array().end_object();
  return text;
}

std::string size_in_words(std::uint64_t octets) {
  if (octets < 10U << 10) return fmt::format("{} bytes", octets);
  if (octets < 10U << 20) return fmt::format("{} KiB", octets >> 10);
  return fmt::format("{} MiB", octets >> 20);
}

std::string at(const std::optional<Instant>& time) {
  if (!time) return "";
  const std::string text = to_rfc3339(*time);
  return fmt::format(", at {} {} UTC", text.substr(0, 10), text.substr(11, 8));
}

void print_log(std::ostream& out, const LogStatus& status) {
  out << fmt::format("\n{}{}\n", status.log.origin, status.log.at_rest ? "" : "  (being written)");
  out << fmt::format("  journaled  {} records in {} segment{}, {}\n", status.journaled, status.segments,
                     status.segments == 1 ? "" : "s", size_in_words(status.segment_octets));
  out << fmt::format("  sealed     {}\n", status.sealed);
  out << fmt::format("  published  {}{}\n", status.published,
                     status.published == 0 ? "  no checkpoint yet" : at(status.published_time));
  out << fmt::format("  witnessed  {}{}\n", status.witnessed, at(status.witnessed_time));
  out << fmt::format("  indexed    {}{}\n", status.indexed,
                     lag_of(status) == 0 ? "" : fmt::format(", {} behind", lag_of(status)));
  for (const auto& problem : status.problems) out << fmt::format("  PROBLEM    {}\n", problem);
  for (const auto& file : status.damaged_index)
    out << fmt::format("  PROBLEM    index: {} is damaged: run `chancery archive reindex`\n", file);
}

void print_status(std::ostream& out, const ArchiveStatus& archive) {
  std::uint64_t octets = 0;
  for (const auto& status : archive.logs) octets += status.octets;
  out << fmt::format("archive {}\n  {} log{} (epochs), {}\n", archive.paths.archive.string(), archive.logs.size(),
                     archive.logs.size() == 1 ? "" : "s", size_in_words(octets));
  if (archive.logs.empty()) out << "It holds no log yet.\n";
  for (const auto& status : archive.logs) print_log(out, status);
  for (const auto& problem : archive.problems) out << fmt::format("PROBLEM  {}\n", problem);
  const bool is_log_wrong = !archive.problems.empty() || std::ranges::any_of(archive.logs, [](const LogStatus& status) {
    return !status.problems.empty();
  });
  if (is_log_wrong) out << "\nSomething is wrong: `chancery verify` says what, and whether it was tampered with.\n";
}

Exit show_status(const Context& context, const ArchiveOption& option, StatusOptions options) {
  const archive::Paths paths = option.open();
  ArchiveStatus status;
  {
    Progress progress;
    options.progress = [&](const std::string& log, std::uint64_t records) {
      progress.show(fmt::format("{}: {} records", log, records));
    };
    status = status_of(paths, options);
  }
  if (context.json)
    context.out << status_json(status) << '\n';
  else
    print_status(context.out, status);
  return status.is_sound() ? Exit::ok : Exit::wrong;
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
    context.out << fmt::format("{} records of {} log{} are indexed\n", counts.records, counts.logs,
                               counts.logs == 1 ? "" : "s");
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
  if (!backup->problems.empty())
    throw Failure(fmt::format("the copy in {} is not sound, so no backup.json was written:\n  {}\n`chancery verify` of "
                              "the archive says more",
                              target, fmt::join(backup->problems, "\n  ")),
                  Exit::wrong);
  if (context.json) {
    std::string text;
    JsonWriter json{text};
    json.begin_object().member("target", target).member("files", backup->files).member("octets", backup->octets);
    json.member("manifest_sha256", backup->manifest_sha256).key("logs").begin_array();
    for (const auto& log : backup->logs)
      json.begin_object().member("log", log.log).member("published", log.published).end_object();
    json.end_array().key("checked").begin_object().member("files", backup->files_checked);
    json.member("records", backup->records_checked).member("checkpoints", backup->checkpoints_checked).end_object();
    put_strings(json, "remarks", backup->remarks);
    context.out << (json.end_object(), text) << '\n';
    return Exit::ok;
  }
  for (const auto& log : backup->logs)
    context.out << fmt::format("{}: up to the checkpoint over {} records\n", log.log, log.published);
  context.out << fmt::format("{} files, {} octets in {}\n", backup->files, backup->octets, target);
  context.out << fmt::format(
      "Read back and checked: {} files as they were read; {} records, each frame whole and under its checkpoint; {} "
      "checkpoints, signed by the log's own key. Whether that is the right key: chancery verify {} --key KEY\n",
      backup->files_checked, backup->records_checked, backup->checkpoints_checked, target);
  for (const auto& remark : backup->remarks) context.out << fmt::format("note: {}\n", remark);
  context.out << fmt::format("SHA-256 of backup.json: {}\n", backup->manifest_sha256);
  context.out << fmt::format("The key store is not in it. Without a copy of {} the messages cannot be read.\n",
                             paths.keys.string());
  return Exit::ok;
}

void add_status(CLI::App& group, Context& context) {
  struct Arguments {
    ArchiveOption archive;
    bool quick = false, check_index = false;
  };
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command =
      add_command(group, context, "status", "Say what the archive holds and how far each record got",
                  "  chancery archive status -d /var/lib/chancery/archive\n"
                  "  chancery archive status -d demo --quick --json\n"
                  "  chancery archive status -d demo --check-index\n"
                  "Exit code 1: a log cannot be read, or is shorter than its last checkpoint, or a file "
                  "of the index is\ndamaged. Whether the evidence holds is `chancery verify`'s to say.");
  add_archive_option(*command, arguments->archive);
  command->add_flag("--quick", arguments->quick, "Count the records without reading each (damage may go unseen)");
  command->add_flag("--check-index", arguments->check_index, "Read every file of the index and check it");
  on_run(*command, context, [&context, arguments] {
    StatusOptions options;
    options.read_records = !arguments->quick;
    options.check_index = arguments->check_index;
    return show_status(context, arguments->archive, options);
  });
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
  CLI::App* command =
      add_command(group, context, "backup", "Copy an archive, also while the gateway is running",
                  "  chancery archive backup -d /var/lib/chancery/archive -o /mnt/backup/2026-05-03\n"
                  "  chancery verify /mnt/backup/2026-05-03 --key log.vkey\n"
                  "The copy is read back: every file, every frame, the tree under its checkpoints. Exit "
                  "code 1: it is not\nsound, and has no backup.json. docs/guide/backup.md tells how to "
                  "restore.");
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
