#include "archive/verify/history.h"

#include <algorithm>
#include <fmt/format.h>

namespace chancery::verify {
namespace {

constexpr std::size_t kSectorSize = 512;  // the least that a disk writes as a whole

std::optional<Published> parse(Bytes octets, const std::string& origin, Hash* previous) {
  auto note = merkle::parse_note(octets);
  if (!note) return std::nullopt;
  const auto checkpoint = merkle::Checkpoint::parse(note->text);
  if (!checkpoint || checkpoint->origin != origin) return std::nullopt;
  const auto extensions = merkle::Extensions::parse(checkpoint->extensions);
  if (!extensions) return std::nullopt;
  *previous = extensions->previous;
  return Published{std::move(*note), checkpoint->head, extensions->time};
}

bool is_checkpoint(const std::optional<Buffer>& octets, const std::string& origin) {
  Hash previous;
  return octets && parse(*octets, origin, &previous);
}

// Whether a disk that lost power while `entry` was being written at `offset` can have left `tail`: any size up to the
// entry's, and each sector is there or still as it was, which past the end of the file is zero.
bool is_unfinished_write(Bytes tail, Bytes entry, std::size_t offset) {
  if (tail.size() > entry.size()) return false;
  for (std::size_t at = 0; at < tail.size();) {
    const std::size_t size = std::min(kSectorSize - (offset + at) % kSectorSize, tail.size() - at);
    const Bytes there = tail.substr(at, size);
    if (there != entry.substr(at, size) && there.find_first_not_of('\0') != Bytes::npos) return false;
    at += size;
  }
  return true;
}

struct Ending {
  Bytes entries;      // `checkpoints` without an entry that was being appended
  std::string fault;  // empty: the three files may stand so to each other
};

// docs/formats/checkpoint.md, "Publishing".
Ending ending_of(const HistoryFiles& files, const std::string& origin) {
  const Bytes history = files.history ? Bytes{*files.history} : Bytes{};
  const Buffer last = files.newest ? *files.newest + "\n" : Buffer{};
  const std::size_t at = last.empty() ? 0 : history.rfind(last);
  const std::string different = files.newest ? "`checkpoint` and the end of `checkpoints` are not the same"
                                             : "the newest checkpoint's file is missing";
  if (at == Bytes::npos) return {history, different};
  const Bytes finished = history.substr(0, at + last.size());
  const SplitHistory split = split_history(finished);
  if (!split.rest.empty() || (files.newest && split.notes.back() != Bytes{*files.newest})) return {history, different};
  const Bytes tail = history.substr(finished.size());
  if (tail.empty()) return {history, {}};
  if (!is_checkpoint(files.unfinished, origin)) return {history, different};
  const Buffer entry = *files.unfinished + "\n";
  if (!is_unfinished_write(tail, entry, finished.size())) return {history, different};
  return {tail == Bytes{entry} ? history : finished, {}};
}

std::string order_fault(const Published& now, const Hash& previous, const History& history, const Hash& before) {
  if (previous != before) return "it does not name the checkpoint before it: one was taken out, put in or changed";
  if (history.published.empty()) return now.head.size == 0 ? "it is of an empty log" : "";
  const Published& last = history.published.back();
  if (now.head.size <= last.head.size) return "its size is not above that of the one before it";
  return now.time < last.time ? "its time is before that of the one before it" : "";
}

Finding wrong(const History& history, const std::string& origin, std::string file, std::string what) {
  return {Kind::altered, origin, history.size(), std::move(file), std::move(what)};
}

}  // namespace

SplitHistory split_history(Bytes checkpoints) {
  SplitHistory split;
  while (true) {
    const auto text_end = checkpoints.find("\n\n");
    const auto end = text_end == Bytes::npos ? text_end : checkpoints.find("\n\n", text_end + 2);
    if (end == Bytes::npos) break;
    split.notes.push_back(checkpoints.substr(0, end + 1));
    checkpoints.remove_prefix(end + 2);
  }
  split.rest = checkpoints;
  return split;
}

History read_history(const HistoryFiles& files, const std::string& origin) {
  History history;
  const auto [entries, ending_fault] = ending_of(files, origin);
  const SplitHistory split = split_history(entries);
  if (files.newest && !files.history)
    history.finding = Finding{Kind::removed, origin, 0, "checkpoints", "the history of checkpoints is missing"};
  else if (!ending_fault.empty())
    history.finding = Finding{files.newest ? Kind::altered : Kind::removed, origin, std::nullopt,
                              files.newest ? "checkpoint" : "checkpoints", ending_fault};
  Hash before{};
  for (const Bytes octets : split.notes) {
    Hash previous{};
    auto now = parse(octets, origin, &previous);
    const std::string fault = now ? order_fault(*now, previous, history, before) : "it is not a checkpoint of this log";
    if (!fault.empty()) {
      history.finding = wrong(history, origin, "checkpoints",
                              fmt::format("the checkpoint after the one of {} records: {}", history.size(), fault));
      return history;
    }
    before = merkle::sha256(octets);
    history.published.push_back(std::move(*now));
  }
  if (files.unfinished) history.notes.push_back(fmt::format("{}: a checkpoint was being published", origin));
  return history;
}

}  // namespace chancery::verify
