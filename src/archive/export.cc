#include "archive/export.h"

#include <fmt/format.h>

#include "core/json.h"
#include "event/record.h"

namespace chancery::archive {
namespace {

using Body = journal::ReadRecord::Body;

constexpr std::uint64_t kProgressEvery = 1024;  // records
constexpr std::size_t kChunkSize = 64U << 10;

// What stands for a record whose content is gone or cannot be read: all that its leaf says.
std::string placeholder(const Log& log, const journal::ReadRecord& record, std::string_view kind) {
  std::string line;
  JsonWriter json{line};
  json.begin_object().member("log", log.origin).member("index", record.index);
  json.member("time", to_rfc3339(record.leaf.time)).key("protocol").null().key("network").null();
  json.key("direction").null().member("conversation", record.leaf.conversation.hex());
  json.member("sequence", record.leaf.conversation_sequence).member("kind", kind);
  for (const auto* key : {"scope", "id", "ref", "from"}) json.key(key).null();
  json.key("to").begin_array().end_array();
  for (const auto* key : {"room", "text", "verdict", "rule", "policy_revision", "session", "connection", "account",
                          "person_from", "person_to", "seen_by"})
    json.key(key).null();
  json.end_object();
  return line;
}

class Exporter {
 public:
  Exporter(const std::function<bool(std::string_view)>& write, const std::function<void(std::uint64_t)>& progress)
      : write_(write), progress_(progress) {}

  std::expected<void, std::string> run(const Log& log, journal::KeyStore& keys) {
    auto reader = open_reader(log, &keys);
    if (!reader) return std::unexpected(reader.error());
    while (true) {
      const auto record = reader->next();
      if (!record) return std::unexpected(describe(log, *reader, record.error()));
      if (!*record) return flush();
      if ((*record)->body == Body::sealed)
        return std::unexpected(fmt::format(
            "record {}#{} cannot be read: the key that seals it is not in the key store. Name the right one with "
            "--keys.",
            log.origin, (*record)->index));
      add(log, **record);
      if (++counts.records % kProgressEvery == 0) progress_(counts.records);
      if (chunk_.size() < kChunkSize) continue;
      if (auto written = flush(); !written) return written;
    }
  }
  ExportCounts counts;

 private:
  void add(const Log& log, const journal::ReadRecord& read) {
    if (read.body == Body::empty) return;
    if (read.body == Body::erased) {
      ++counts.erased;
      return put(placeholder(log, read, "erased"));
    }
    const auto record = decode_record(read.payload);
    if (!record) {
      ++counts.unreadable;
      return put(placeholder(log, read, "unreadable"));
    }
    for (const auto& line : to_json(*record, log.origin, read.index)) put(line);
  }
  void put(const std::string& line) {
    chunk_ += line;
    chunk_ += '\n';
    ++counts.lines;
  }
  std::expected<void, std::string> flush() {
    const bool written = write_(chunk_);
    chunk_.clear();
    if (!written) return std::unexpected("the output cannot be written");
    return {};
  }

  const std::function<bool(std::string_view)>& write_;
  const std::function<void(std::uint64_t)>& progress_;
  std::string chunk_;
};

}  // namespace

std::expected<ExportCounts, std::string> export_jsonl(const std::vector<Log>& logs, journal::KeyStore& keys,
                                                      const std::function<bool(std::string_view)>& write,
                                                      const std::function<void(std::uint64_t)>& progress) {
  Exporter exporter{write, progress};
  for (const auto& log : logs)
    if (auto done = exporter.run(log, keys); !done) return std::unexpected(done.error());
  return exporter.counts;
}

}  // namespace chancery::archive
