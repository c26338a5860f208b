#include "archive/search.h"

#include <algorithm>
#include <fmt/format.h>
#include <memory>

#include "archive/log_index.h"
#include "archive/month_index.h"

namespace chancery::archive {
namespace {

namespace fs = std::filesystem;

struct Found {
  std::uint64_t index = 0;
  MonthReader::Stored stored;
};

// Takes a month file into the account of its log. False: it cannot belong there.
bool admit(const MonthState& state, LogCoverage& coverage) {
  if (state.origin != coverage.log || state.first < coverage.complete_to) return false;
  if (state.first > coverage.complete_to && coverage.damaged.empty())
    coverage.damaged.push_back(fmt::format("a file is missing: the one with records {} to {} of {}",
                                           coverage.complete_to, state.first - 1, coverage.log));
  coverage.complete_to = state.complete_to;
  if (state.complete_to > state.first) coverage.newest = state.newest;
  return true;
}

// One log's matches, newest first, month after month. Files are opened when they are reached.
class LogSearch {
 public:
  LogSearch(const fs::path& index, const std::string& log, const Query& query, const std::string& match)
      : query_(query), match_(match) {
    coverage_.log = log;
    for (auto& file : month_files(log_index_folder(index, log))) open(file);
    next_month_ = months_.size();
    advance();
  }

  const std::optional<Found>& head() const { return head_; }
  LogCoverage& coverage() { return coverage_; }

  void advance() {
    head_.reset();
    while (!head_ && (cursor_ || next_cursor())) {
      try {
        if (!step()) cursor_.reset();
      } catch (const SqliteError& error) {
        if (!error.damaged()) throw;
        damaged(months_[next_month_].file);
        cursor_.reset();
      }
    }
  }

  Hit take() {
    Hit hit{coverage_.log, head_->index, std::move(head_->stored.record), {}, {}};
    for (auto& month : months_) collect(month, hit);
    return hit;
  }

 private:
  struct Month {
    fs::path file;
    std::unique_ptr<MonthReader> reader;
  };

  void open(const fs::path& file) {
    try {
      auto reader = std::make_unique<MonthReader>(file);
      if (!admit(reader->state(), coverage_)) return damaged(file);
      months_.push_back({file, std::move(reader)});
    } catch (const SqliteError&) {
      damaged(file);
    }
  }

  void damaged(const fs::path& file) {
    if (std::ranges::find(coverage_.damaged, file.string()) == coverage_.damaged.end())
      coverage_.damaged.push_back(file.string());
  }

  bool next_cursor() {
    if (next_month_ == 0) return false;
    MonthReader& reader = *months_[--next_month_].reader;
    cursor_ = std::make_unique<MonthReader::Cursor>(reader.find(match_, query_.since, query_.until));
    return true;
  }

  // False at the end of this month.
  bool step() {
    while (cursor_->next()) {
      auto stored = months_[next_month_].reader->at(cursor_->index(), query_.since, query_.until);
      if (!stored) continue;
      head_ = Found{cursor_->index(), std::move(*stored)};
      return true;
    }
    return false;
  }

  // What a later month may hold as well as its own: who received it, and what changed it.
  void collect(Month& month, Hit& hit) {
    if (month.reader->state().complete_to <= hit.index) return;
    try {
      month.reader->deliveries_of(hit.index, hit.deliveries);
      const Event& event = hit.record.event;
      collect_changes(month, event.id, hit);
      if (event.origin_id != event.id) collect_changes(month, event.origin_id, hit);
    } catch (const SqliteError&) {
      damaged(month.file);
    }
  }

  void collect_changes(Month& month, const std::string& id, Hit& hit) {
    if (id.empty()) return;
    for (const auto index : month.reader->changes_of(hit.record.conversation, id)) {
      auto stored = month.reader->at(index);
      const bool really = stored && index > hit.index && stored->record.conversation == hit.record.conversation &&
                          stored->record.event.ref == id;
      if (really) hit.changes.push_back({index, std::move(stored->record)});
    }
  }

  const Query& query_;
  const std::string& match_;
  LogCoverage coverage_;
  std::vector<Month> months_;
  std::size_t next_month_ = 0;  // the one the cursor is in; months below it are still to come
  std::unique_ptr<MonthReader::Cursor> cursor_;
  std::optional<Found> head_;
};

// Logs have no common order but time.
LogSearch* newest_of(std::vector<std::unique_ptr<LogSearch>>& logs) {
  LogSearch* newest = nullptr;
  for (auto& log : logs)
    if (log->head() && (newest == nullptr || log->head()->stored.time > newest->head()->stored.time))
      newest = log.get();
  return newest;
}

}  // namespace

std::expected<Answer, QueryProblem> search(const fs::path& index, const std::vector<std::string>& logs,
                                           const Query& query) {
  const auto match = to_match(query);
  if (!match) return std::unexpected(match.error());
  const std::uint32_t limit = std::clamp<std::uint32_t>(query.limit, 1, kSearchLimitMax);
  std::vector<std::unique_ptr<LogSearch>> searches;
  for (const auto& log : logs) searches.push_back(std::make_unique<LogSearch>(index, log, query, *match));
  Answer answer;
  while (LogSearch* log = newest_of(searches)) {
    if (answer.hits.size() == limit) {
      answer.more = true;
      break;
    }
    answer.hits.push_back(log->take());
    log->advance();
  }
  for (auto& log : searches) answer.logs.push_back(std::move(log->coverage()));
  return answer;
}

std::vector<LogCoverage> coverage(const fs::path& index, const std::vector<std::string>& logs, bool deep) {
  std::vector<LogCoverage> all;
  for (const auto& log : logs) {
    LogCoverage& one = all.emplace_back();
    one.log = log;
    for (const auto& file : month_files(log_index_folder(index, log))) {
      try {
        MonthReader reader{file};
        if (!admit(reader.state(), one) || (deep && !reader.check())) one.damaged.push_back(file.string());
      } catch (const SqliteError&) {
        one.damaged.push_back(file.string());
      }
    }
  }
  return all;
}

}  // namespace chancery::archive
