#pragma once
// For tests: a real journal in a temporary folder, with its key store.
#include <gtest/gtest.h>
#include <string>

#include "archive/logs.h"
#include "archive/testing/records.h"
#include "journal/open.h"

namespace chancery::archive::testing {

class LiveLog {
 public:
  explicit LiveLog(journal::Observer* observer = nullptr) : observer_(observer) {
    const auto error = journal::KeyStore::create(journal::posix_disk(), paths().keys.string());
    EXPECT_FALSE(error) << error.message();
    auto opened = journal::KeyStore::open(journal::posix_disk(), paths().keys.string());
    keys_ = std::make_unique<journal::KeyStore>(*std::move(opened));
    open();
  }
  ~LiveLog() { close(); }

  Paths paths() const {
    const auto archive = folder_.path() / "archive";
    return {archive, folder_.path() / "archive.index", folder_.path() / "archive.keys",
            folder_.path() / "archive.state"};
  }
  journal::KeyStore& keys() { return *keys_; }
  const std::string& origin() const { return origin_; }
  std::uint64_t durable_size() const { return journal_->durable_size(); }

  void open() {
    journal::Options options;
    options.disk = &journal::posix_disk();
    options.archive = paths().archive.string();
    options.state = paths().state.string();
    options.site = "hq";
    options.node = "gw-1";
    options.keys = keys_.get();
    options.observer = observer_ != nullptr ? observer_ : &nobody_;
    options.now = at("2026-05-03T09:12:44Z");
    options.clock = [] { return at("2026-05-03T09:12:44Z"); };
    options.epoch_record = [](const journal::NewEpoch&, const journal::OwnRecord& own) {
      return about(own, Kind::epoch);
    };
    options.gap_record = [](const journal::TornTail&, const journal::OwnRecord& own) { return about(own, Kind::gap); };
    options.published_size = [](const std::string&) { return std::uint64_t{0}; };
    options.threads = 1;
    auto opened = journal::open(options);
    ASSERT_TRUE(opened) << opened.error().code.message() << ": " << opened.error().detail;
    journal_ = std::move(opened->journal);
    origin_ = journal_->origin();
  }

  // The record's index. Durable once `close` returned, or the observer heard of it.
  std::uint64_t append(const Record& record) {
    journal::Entry entry;
    entry.time = record.time;
    entry.conversation = record.conversation;
    entry.conversation_sequence = record.conversation_sequence;
    entry.payload = encode(record);
    return append(std::move(entry));
  }
  std::uint64_t append_raw(std::string payload) {
    journal::Entry entry;
    entry.time = at("2026-05-03T10:00:00Z");
    entry.conversation.octets[0] = 9;
    entry.payload = std::move(payload);
    return append(std::move(entry));
  }
  std::uint64_t append(journal::Entry&& entry) {
    const auto index = journal_->append(std::move(entry));
    EXPECT_TRUE(index) << index.error().message();
    return index.value_or(0);
  }
  std::uint64_t say(std::string_view time, std::string text) {
    Record record = message(time, "alice@im.test", "bob@im.test", std::move(text));
    record.conversation_sequence = said_++;
    return append(record);
  }
  void close() {
    if (journal_) journal_->close();
    journal_.reset();
  }
  Log log() const {
    const auto logs = list_logs(paths().archive);
    return logs.empty() ? Log{} : logs.back();
  }

 private:
  struct Nobody final : journal::Observer {
    void on_durable(std::span<const journal::Durable>) override {}
    void on_failed(std::error_code, std::uint64_t) override {}
  };
  static Buffer about(const journal::OwnRecord& own, Kind kind) {
    Record record;
    record.time = own.time;
    record.conversation = own.conversation;
    record.conversation_sequence = own.conversation_sequence;
    record.event.kind = kind;
    record.event.scope = Scope::network;
    record.event.detail = "about the log";
    return encode(record);
  }

  Folder folder_;
  journal::Observer* observer_;
  Nobody nobody_;
  std::unique_ptr<journal::KeyStore> keys_;
  std::unique_ptr<journal::Journal> journal_;
  std::string origin_;
  std::uint64_t said_ = 0;
};

}  // namespace chancery::archive::testing
