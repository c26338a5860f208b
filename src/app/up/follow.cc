#include "app/up/follow.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <vector>

#include "core/utf8.h"
#include "event/record.h"
#include "journal/file.h"
#include "journal/keystore.h"
#include "journal/reader.h"

namespace chancery::app::up {
namespace fs = std::filesystem;
namespace {

// What other people wrote goes to a terminal: no control characters.
std::string printable(std::string_view text) {
  std::string safe = to_utf8_lossy(text);
  std::ranges::replace_if(safe, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return safe;
}

std::string parties(const Event& event) {
  std::string line = event.from;
  if (!event.room.empty()) return line + " in " + event.room;
  for (std::size_t i = 0; i < event.to.size(); ++i) line += (i == 0 ? " to " : ", ") + event.to[i];
  return line;
}

std::string line_of(const Record& record, bool show_text) {
  const Event& event = record.event;
  std::string line = fmt::format("{}  {:<8} {:<14} {}", to_rfc3339(record.time), record.protocol, to_string(event.kind),
                                 parties(event));
  if (record.decision.verdict != Verdict::forward)
    line += fmt::format("  [{}: {}]", to_string(record.decision.verdict), record.decision.rule);
  if (event.kind == Kind::sign_in && !event.accepted) line += "  [not accepted]";
  if (show_text && !event.texts.empty()) line += "  “" + event.texts.front().text + "”";
  return printable(line);
}

// Worth a line: what people did. Deliveries, heartbeats and connections would drown it.
bool is_shown(Kind kind) {
  return kind != Kind::delivery && kind != Kind::heartbeat && kind != Kind::stream_open && kind != Kind::stream_close;
}

// The newest epoch of the only node there is: names begin with a counter.
std::optional<fs::path> newest_log(const fs::path& archive) {
  std::vector<fs::path> logs;
  std::error_code error;
  for (const auto& site : fs::directory_iterator(archive / "logs", error))
    for (const auto& node : fs::directory_iterator(site.path(), error))
      for (const auto& epoch : fs::directory_iterator(node.path(), error)) logs.push_back(epoch.path());
  if (logs.empty()) return std::nullopt;
  return *std::ranges::max_element(logs);
}

}  // namespace

class Follower::Impl {
 public:
  Impl(const Folder& folder, std::ostream& out, bool show_text)
      : archive_(folder.archive), keys_folder_(folder.archive.string() + ".keys"), out_(out), show_text_(show_text) {}

  void look() {
    if (!reader_ && !open()) return;
    for (;;) {
      const auto next = reader_->next();
      if (!next || !next->has_value()) return;
      show(**next);
    }
  }

 private:
  bool open() {
    const auto log = newest_log(archive_);
    if (!log) return false;
    if (!keys_) {
      auto keys = journal::KeyStore::open(journal::posix_disk(), keys_folder_);
      if (!keys) return false;
      keys_.emplace(std::move(*keys));
    }
    auto reader = journal::Reader::open(journal::posix_disk(), log->string(), &*keys_);
    if (!reader) return false;
    reader->set_limit_none();
    reader_.emplace(std::move(*reader));
    return true;
  }

  void show(const journal::ReadRecord& read) {
    if (read.body != journal::ReadRecord::Body::clear) return;
    const auto record = decode_record(read.payload);
    if (record && is_shown(record->event.kind) && record->time >= since_)
      out_ << line_of(*record, show_text_) << std::endl;
  }

  fs::path archive_;
  std::string keys_folder_;
  std::ostream& out_;
  bool show_text_;
  Instant since_ = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  std::optional<journal::KeyStore> keys_;
  std::optional<journal::Reader> reader_;
};

Follower::Follower(const Folder& folder, std::ostream& out, bool show_text)
    : impl_(std::make_unique<Impl>(folder, out, show_text)) {}
Follower::~Follower() = default;
void Follower::look() { impl_->look(); }

}  // namespace chancery::app::up
