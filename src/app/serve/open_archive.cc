#include "app/serve/open_archive.h"

#include <fmt/format.h>

#include "app/context.h"
#include "app/serve/own_records.h"
#include "archive/seal/checkpoint_store.h"

namespace chancery::app::serve {
namespace {

Instant wall_clock() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

std::string advice(const journal::OpenFailure& failure, const gateway::Config& config) {
  const std::string archive = config.archive.string();
  if (failure.code == journal::JournalError::corrupt || failure.code == journal::JournalError::foreign)
    return fmt::format(
        " Nothing was changed. `chancery verify {0} --key KEY` says what is damaged and whether it is evidence of "
        "tampering. Keep the folder as it is; then put a backup in its place (docs/guide/backup.md, \"Restore\"), or, "
        "to "
        "record again at once, move {0} and {1} aside: the gateway begins a new log.",
        archive, config.state.string());
  if (failure.code == journal::JournalError::locked)
    return " Another gateway is running on this archive; two need a `node` each.";
  if (failure.code == journal::JournalError::keys_missing)
    return fmt::format(" {} is not the key store that this archive was written with; name the right one under `keys`.",
                       config.keys.string());
  return {};
}

}  // namespace

journal::Opened open_archive(const gateway::Config& config, journal::KeyStore& keys, journal::Observer& observer,
                             net::Log& log) {
  const std::string archive = config.archive.string();
  journal::Options options;
  options.disk = &journal::posix_disk();
  options.archive = archive;
  options.state = config.state.string();
  options.site = config.site;
  options.node = config.node;
  options.keys = &keys;
  options.observer = &observer;
  options.now = wall_clock();
  options.queue_records_max = config.limits.journal_queue_records_max;
  options.priority = config.limits.journal_priority;
  options.on_priority_refused = [&log](std::error_code why) {
    log.warning("journal_priority was refused, the journal's threads run as all others",
                {{"error", why.message()}, {"needs", "CAP_SYS_NICE"}});
  };
  options.clock = wall_clock;
  options.epoch_record = [archive](const auto& epoch, const auto& own) { return epoch_record(archive, epoch, own); };
  options.gap_record = [](const auto& torn, const auto& own) { return gap_record(torn, own); };
  options.published_size = [archive](const std::string& origin) {
    return seal::published_size(journal::posix_disk(), journal::log_folder(archive, origin));
  };
  auto opened = journal::open(options);
  if (opened) return *std::move(opened);
  const journal::OpenFailure& failure = opened.error();
  const std::string message = failure.code.message();
  std::string what = failure.detail;
  if (!what.contains(message)) what = message + (what.empty() ? "" : ": " + what);
  throw Failure(fmt::format("cannot open the archive {}: {}.{}", archive, what, advice(failure, config)));
}

}  // namespace chancery::app::serve
