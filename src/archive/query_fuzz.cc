// Any text is either refused with a sentence, or becomes an expression that FTS5 itself accepts.
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "archive/query.h"
#include "archive/snippet.h"
#include "archive/sqlite.h"

namespace {

chancery::archive::Database& database() {
  static const auto made = [] {
    auto memory = std::make_unique<chancery::archive::Database>(":memory:", chancery::archive::Database::Mode::write);
    memory->execute("CREATE VIRTUAL TABLE word USING fts5(text, tags, content='', tokenize='chancery')");
    memory->execute("INSERT INTO word(rowid, text, tags) VALUES(1, 'some text', '')");
    return memory;
  }();
  return *made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  chancery::archive::Query query;
  query.text.assign(reinterpret_cast<const char*>(data), size);
  if (size % 3 == 0) query.from.push_back(query.text);
  const auto match = chancery::archive::to_match(query);
  if (!match) return match.error().empty() ? (std::abort(), 0) : 0;
  chancery::archive::make_snippet(query.text, chancery::archive::terms_of(query.text), 20);
  if (match->empty()) return 0;
  try {
    chancery::archive::Statement statement{database(), "SELECT rowid FROM word WHERE word MATCH ?1"};
    statement.bind(1, *match).step();
  } catch (const chancery::archive::SqliteError&) {
    std::abort();
  }
  return 0;
}
