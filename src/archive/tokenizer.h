#pragma once
// Makes the words of words.h known to FTS5 as the tokenizer "chancery".

struct sqlite3;

namespace chancery::archive {

// Returns an SQLite result code; SQLITE_ERROR where this SQLite lacks FTS5.
int register_tokenizer(sqlite3* handle);

}  // namespace chancery::archive
