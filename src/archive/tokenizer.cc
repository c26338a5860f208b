#include "archive/tokenizer.h"

#include <sqlite3.h>
#include <string_view>

#include "archive/words.h"

namespace chancery::archive {
namespace {

using Callback = int (*)(void*, int flags, const char* token, int size, int begin, int end);

class Fts5Sink final : public WordSink {
 public:
  Fts5Sink(void* context, Callback callback) : context_(context), callback_(callback) {}
  bool word(const Word& word) override {
    code_ = callback_(context_, word.same_position ? FTS5_TOKEN_COLOCATED : 0, word.folded.data(),
                      static_cast<int>(word.folded.size()), static_cast<int>(word.begin), static_cast<int>(word.end));
    return code_ == SQLITE_OK;
  }
  int code() const { return code_; }

 private:
  void* context_;
  Callback callback_;
  int code_ = SQLITE_OK;
};

// The tokenizer has no state, but FTS5 takes a null pointer for a failure.
int create(void*, const char**, int, Fts5Tokenizer** out) {
  static char nothing = 0;
  *out = reinterpret_cast<Fts5Tokenizer*>(&nothing);
  return SQLITE_OK;
}

void destroy(Fts5Tokenizer*) {}

int tokenize(Fts5Tokenizer*, void* context, int flags, const char* text, int size, Callback callback) {
  Fts5Sink sink{context, callback};
  const auto purpose = (flags & FTS5_TOKENIZE_QUERY) != 0 ? WordsFor::query : WordsFor::index;
  cut_words({text, static_cast<std::size_t>(size)}, purpose, sink);
  return sink.code();
}

// https://sqlite.org/fts5.html §7: how an application finds the FTS5 API.
fts5_api* find_api(sqlite3* handle) {
  fts5_api* api = nullptr;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle, "SELECT fts5(?1)", -1, &statement, nullptr) != SQLITE_OK) return nullptr;
  sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
  sqlite3_step(statement);
  sqlite3_finalize(statement);
  return api;
}

}  // namespace

int register_tokenizer(sqlite3* handle) {
  fts5_api* api = find_api(handle);
  if (api == nullptr) return SQLITE_ERROR;
  fts5_tokenizer tokenizer{create, destroy, tokenize};
  return api->xCreateTokenizer(api, "chancery", nullptr, &tokenizer, nullptr);
}

}  // namespace chancery::archive
