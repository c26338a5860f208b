#include "archive/seal/checkpoint_store.h"

#include <algorithm>
#include <fmt/format.h>

namespace chancery::seal {
namespace {

constexpr std::string_view kNewest = "checkpoint";
constexpr std::string_view kUnfinished = "checkpoint.new";
constexpr std::string_view kHistory = "checkpoints";

// An entry of `checkpoints`: the note and an empty line.
Buffer entry_of(const Buffer& note) { return note + "\n"; }

std::optional<Published> parse(const Buffer& octets) {
  const auto note = merkle::parse_note(octets);
  if (!note) return std::nullopt;
  const auto text = merkle::Checkpoint::parse(note->text);
  if (!text) return std::nullopt;
  return Published{octets, text->head};
}

std::expected<std::optional<Buffer>, std::error_code> read_if_there(journal::Disk& disk, const std::string& path) {
  const auto there = disk.exists(path);
  if (!there) return std::unexpected(there.error());
  if (!*there) return std::optional<Buffer>{};
  auto octets = journal::read_file(disk, path, merkle::kNoteSizeMax);
  if (!octets) return std::unexpected(octets.error());
  return std::optional{std::move(*octets)};
}

}  // namespace

std::expected<CheckpointStore, std::string> CheckpointStore::open(journal::Disk& disk, std::string folder) {
  CheckpointStore store{disk, std::move(folder)};
  if (const auto done = store.recover(); !done) return std::unexpected(done.error());
  return store;
}

// The order of `publish` leaves three places to stop at: checkpoint.new torn or whole and `checkpoints` unchanged;
// checkpoint.new whole and its entry torn or whole at the end of `checkpoints`; all done.
std::expected<void, std::string> CheckpointStore::recover() {
  const auto fail = [](const std::string& file, const std::string& what) {
    return std::unexpected(fmt::format("{}: {}", file, what));
  };
  const auto newest = read_if_there(*disk_, path(kNewest));
  if (!newest) return fail(path(kNewest), newest.error().message());
  const auto unfinished = read_if_there(*disk_, path(kUnfinished));
  if (!unfinished) return fail(path(kUnfinished), unfinished.error().message());
  if (*newest && !(newest_ = parse(**newest))) return fail(path(kNewest), "not a checkpoint");

  auto history =
      disk_->open(path(kHistory), disk_->exists(path(kHistory)).value_or(false) ? journal::Disk::Mode::update
                                                                                : journal::Disk::Mode::create);
  if (!history) return fail(path(kHistory), history.error().message());
  const auto size = (*history)->size();
  if (!size) return fail(path(kHistory), size.error().message());
  // The last entry, and perhaps a torn one after it.
  const std::uint64_t window = std::min<std::uint64_t>(*size, 2 * merkle::kNoteSizeMax);
  Buffer tail(window, '\0');
  if (const auto got = (*history)->read_at(*size - window, tail); !got || *got != window)
    return fail(path(kHistory), "cannot be read");
  const Buffer last = newest_ ? entry_of(newest_->note) : Buffer{};
  const auto at = newest_ ? tail.rfind(last) : 0;
  const std::uint64_t good = *size - window + (at == Buffer::npos ? 0 : at + last.size());
  const bool is_torn = good != *size;
  if (at == Buffer::npos || (is_torn && !*unfinished))
    return fail(path(kHistory), "does not end in what `checkpoint` holds; `chancery verify` says more");
  if (is_torn) {
    if (const auto error = (*history)->truncate(good)) return fail(path(kHistory), error.message());
    if (const auto error = (*history)->sync()) return sync_failed_ = true, fail(path(kHistory), error.message());
  }
  history_size_ = good;
  if (!*unfinished) return {};
  if (const auto next = parse(**unfinished)) {
    if (const auto error = append(next->note)) return fail(path(kHistory), error.message());
    if (const auto error = rename_new()) return fail(path(kNewest), error.message());
    newest_ = next;
    return {};
  }
  if (const auto error = disk_->remove(path(kUnfinished))) return fail(path(kUnfinished), error.message());
  return {};
}

Hash CheckpointStore::previous() const { return newest_ ? merkle::sha256(newest_->note) : Hash{}; }

std::error_code CheckpointStore::publish(const Buffer& note, const merkle::TreeHead& head) {
  if (const auto error = write_new(note)) return error;
  if (const auto error = append(note)) return error;
  if (const auto error = rename_new()) return error;
  newest_ = Published{note, head};
  return {};
}

std::error_code CheckpointStore::write_new(const Buffer& note) {
  auto file = disk_->open(path(kUnfinished), journal::Disk::Mode::create);
  if (!file) return file.error();
  const Bytes octets = note;
  if (const auto error = (*file)->write_at(0, {&octets, 1})) return error;
  if (const auto error = (*file)->sync()) return sync_failed_ = true, error;
  if (const auto error = disk_->sync_directory(folder_)) return sync_failed_ = true, error;
  return {};
}

std::error_code CheckpointStore::append(const Buffer& note) {
  const Buffer entry = entry_of(note);
  auto file = disk_->open(path(kHistory), journal::Disk::Mode::update);
  if (!file) return file.error();
  const Bytes octets = entry;
  if (const auto error = (*file)->write_at(history_size_, {&octets, 1})) return error;
  if (const auto error = (*file)->sync()) return sync_failed_ = true, error;
  history_size_ += entry.size();
  return {};
}

std::error_code CheckpointStore::rename_new() {
  if (const auto error = disk_->rename(path(kUnfinished), path(kNewest))) return error;
  if (const auto error = disk_->sync_directory(folder_)) return sync_failed_ = true, error;
  return {};
}

std::uint64_t published_size(journal::Disk& disk, const std::string& folder) {
  const auto octets = journal::read_file(disk, folder + "/" + std::string{kNewest}, merkle::kNoteSizeMax);
  if (!octets) return 0;
  const auto published = parse(*octets);
  return published ? published->head.size : 0;
}

}  // namespace chancery::seal
