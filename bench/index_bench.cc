// The index beside plain SQLite FTS5 (unicode61, contentless, the text alone), in one run: rows a second at 5,000 a
// commit and their ratio, then how long the newest 50 of each kind of query take in our index (median and worst of 7).
//
//   index_bench [MESSAGES] [FOLDER]      default: 1,000,000 and a folder under $TMPDIR, removed at the end
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <random>
#include <sqlite3.h>
#include <stdlib.h>
#include <string>
#include <vector>

#include "archive/log_index.h"
#include "archive/search.h"
#include "archive/sqlite.h"

namespace chancery::archive {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kCommitRecords = 5'000;
constexpr std::size_t kVocabulary = 50'000, kPeople = 1'000;
constexpr const char* kOrigin = "bench/gw/00000001-00000000";

double seconds_since(Clock::time_point since) { return std::chrono::duration<double>(Clock::now() - since).count(); }

// Chat-like lines of 4 to 16 words, common words far more often than rare ones (Zipf).
class Lines {
 public:
  Lines() {
    static constexpr std::string_view kLetters = "etaoinshrdlcumwfgypbvk";
    for (std::size_t i = 0; i < kVocabulary; ++i) {
      std::string& word = words_.emplace_back();
      for (std::size_t n = 2 + random_() % 8; n > 0; --n) word += kLetters[random_() % kLetters.size()];
    }
  }
  std::string next() {
    std::string line;
    for (std::size_t n = 4 + random_() % 13; n > 0; --n) {
      const double uniform = static_cast<double>(random_() >> 1) / static_cast<double>(random_.max() >> 1);
      const auto rank = static_cast<std::size_t>(std::pow(static_cast<double>(kVocabulary), uniform)) - 1;
      if (!line.empty()) line += ' ';
      line += words_[std::min(rank, kVocabulary - 1)];
    }
    return line;
  }
  std::string person() { return fmt::format("user{}@im.test", random_() % kPeople); }
  const std::string& word(std::size_t rank) const { return words_[rank]; }

 private:
  std::mt19937_64 random_{1};
  std::vector<std::string> words_;
};

Record record_of(Lines& lines, std::uint64_t index) {
  Record record;
  record.time = from_unix_ns(1'777'000'000'000'000'000 + static_cast<std::int64_t>(index) * 100'000);
  record.protocol = "xmpp";
  record.network = "im.test";
  record.event.from = lines.person();
  record.account = record.event.from;
  record.conversation.octets.fill(static_cast<std::uint8_t>(index % 251));
  record.conversation_sequence = index;
  record.event.id = fmt::format("m{}", index);
  record.event.to = {lines.person()};
  record.event.texts = {{TextPart::Role::body, "", lines.next(), {}}};
  return record;
}

double index_ours(const std::filesystem::path& folder, std::uint64_t messages) {
  Lines lines;
  LogIndexWriter writer(folder, kOrigin);
  double spent = 0;
  std::vector<Buffer> encoded;
  for (std::uint64_t done = 0; done < messages;) {
    encoded.clear();
    for (std::uint64_t i = 0; i < kCommitRecords && done + i < messages; ++i)
      encoded.push_back(encode(record_of(lines, done + i)));
    const auto since = Clock::now();
    for (const Buffer& payload : encoded) writer.add(*decode_record(payload), LeafOctets{});
    writer.commit();
    spent += seconds_since(since);
    done += encoded.size();
  }
  return static_cast<double>(messages) / spent;
}

double index_plain(const std::filesystem::path& folder, std::uint64_t messages) {
  Lines lines;
  std::filesystem::create_directories(folder);
  Database database(folder / "plain.db", Database::Mode::write);
  database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384");
  database.execute("CREATE VIRTUAL TABLE word USING fts5(text, content='', tokenize='unicode61')");
  Statement insert(database, "INSERT INTO word(rowid, text) VALUES(?1, ?2)");
  double spent = 0;
  for (std::uint64_t done = 0; done < messages;) {
    std::vector<std::string> texts;
    for (std::uint64_t i = 0; i < kCommitRecords && done + i < messages; ++i)
      texts.push_back(record_of(lines, done + i).event.texts[0].text);
    const auto since = Clock::now();
    database.execute("BEGIN");
    for (const auto& text : texts) insert.bind(1, static_cast<std::int64_t>(done++)).bind(2, text).run();
    database.execute("COMMIT");
    spent += seconds_since(since);
  }
  return static_cast<double>(messages) / spent;
}

void ask(const std::filesystem::path& folder, const char* what, std::string text, const char* from = nullptr) {
  Query query;
  query.text = std::move(text);
  if (from != nullptr) query.from = {from};
  std::vector<double> times;
  std::size_t hits = 0;
  for (int round = 0; round < 7; ++round) {
    const auto since = Clock::now();
    const auto answer = search(folder, {kOrigin}, query);
    times.push_back(1e3 * seconds_since(since));
    hits = answer ? answer->hits.size() : 0;
  }
  std::ranges::sort(times);
  fmt::print("{:<34} {:>5} {:>9.2f} {:>9.2f}\n", what, hits, times[times.size() / 2], times.back());
  std::fflush(stdout);
}

void ask_all(const std::filesystem::path& folder) {
  const Lines lines;
  const std::string &common = lines.word(0), &also = lines.word(3), &rare = lines.word(40'000);
  fmt::print("{:<34} {:>5} {:>9} {:>9}\n", "newest 50 of", "hits", "ms", "worst");
  ask(folder, "a rare word", rare);
  ask(folder, "a common word", common);
  ask(folder, "two common words", common + " " + also);
  ask(folder, "a common and a rare word", common + " " + rare);
  ask(folder, "a phrase of common words", "\"" + common + " " + also + "\"");
  ask(folder, "a prefix of four letters", common.substr(0, 1) + "eta*");
  ask(folder, "a prefix of three letters", rare.substr(0, 3) + "*");
  ask(folder, "a prefix of two letters", "et*");
  ask(folder, "a prefix of one letter", "e*");
  ask(folder, "one sender", "", "user7");
  ask(folder, "a common word from one sender", common, "user7");
  ask(folder, "everything, the newest", "");
}

int run(int argc, char** argv) {
  const std::uint64_t messages = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  std::string folder;
  if (argc > 2) {
    folder = argv[2];
  } else {
    const char* base = std::getenv("TMPDIR");
    folder = std::string(base != nullptr ? base : "/var/tmp") + "/index_bench.XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) return 1;
  }
  const std::filesystem::path below = folder;
  const double ours = index_ours(below / "ours", messages);
  const double plain = index_plain(below / "plain", messages);
  fmt::print("{} messages, {} a commit: ours {:.0f}/s, plain FTS5 {:.0f}/s, ratio {:.2f}\n", messages, kCommitRecords,
             ours, plain, ours / plain);
  std::fflush(stdout);
  ask_all(below / "ours");
  if (argc <= 2) std::filesystem::remove_all(below);
  return 0;
}

}  // namespace
}  // namespace chancery::archive

int main(int argc, char** argv) { return chancery::archive::run(argc, argv); }
