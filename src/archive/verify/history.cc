#include "archive/verify/history.h"

#include <fmt/format.h>

namespace chancery::verify {
namespace {

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

// docs/formats/checkpoint.md, "Publishing": how the three files may stand to each other. Empty: so they may.
std::string ending_fault(const HistoryFiles& files, const SplitHistory& split, const std::string& origin) {
  const bool is_unfinished = is_checkpoint(files.unfinished, origin);
  const Bytes last = split.notes.empty() ? Bytes{} : split.notes.back();
  const Bytes newest = files.newest ? Bytes{*files.newest} : Bytes{};
  if (last == newest && split.rest.empty()) return {};
  if (last == newest && is_unfinished && split.rest.size() <= files.unfinished->size()) return {};
  const Bytes before = split.notes.size() > 1 ? split.notes[split.notes.size() - 2] : Bytes{};
  if (is_unfinished && split.rest.empty() && last == *files.unfinished && before == newest) return {};
  if (!files.newest) return "the newest checkpoint's file is missing";
  return "`checkpoint` and the end of `checkpoints` are not the same";
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
  const SplitHistory split = split_history(files.history ? Bytes{*files.history} : Bytes{});
  if (files.newest && !files.history)
    history.finding = Finding{Kind::removed, origin, 0, "checkpoints", "the history of checkpoints is missing"};
  else if (const std::string fault = ending_fault(files, split, origin); !fault.empty())
    history.finding = Finding{files.newest ? Kind::altered : Kind::removed, origin, std::nullopt,
                              files.newest ? "checkpoint" : "checkpoints", fault};
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
