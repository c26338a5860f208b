#pragma once
// The one adapter to SQLite: a connection and a prepared statement that close themselves. Every call that can fail
// throws SqliteError; the index turns it into a state ("damaged", "cannot be written") at its own edge.
#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "core/bytes.h"

struct sqlite3;
struct sqlite3_stmt;

namespace chancery::archive {

class SqliteError : public std::runtime_error {
 public:
  SqliteError(int code, const std::string& message) : std::runtime_error(message), code_(code) {}
  // The file is not a database, or is damaged: nothing but a rebuild helps.
  bool damaged() const;

 private:
  int code_;
};

class Database {
 public:
  enum class Mode : std::uint8_t { read, write };  // write: made when missing
  // Registers the tokenizer of words.h under the name "chancery".
  Database(const std::filesystem::path& file, Mode mode);
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  ~Database();

  void execute(const char* sql);
  sqlite3* handle() const { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
};

// Parameters and columns are numbered from 1 and 0, as SQLite does. Bound strings must live until the next `reset`.
class Statement {
 public:
  Statement(const Database& database, std::string_view sql);
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, std::string_view text);
  Statement& bind_blob(int parameter, Bytes octets);
  Statement& bind_copy(int parameter, std::string_view text);  // may be gone after the call

  bool step();  // true: a row is there
  void run();   // steps to the end and resets
  Statement& reset();

  std::int64_t integer(int column) const;
  Bytes octets(int column) const;  // valid until the next step or reset

 private:
  sqlite3_stmt* handle_ = nullptr;
};

}  // namespace chancery::archive
