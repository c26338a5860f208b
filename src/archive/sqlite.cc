#include "archive/sqlite.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <utility>

#include "archive/tokenizer.h"

namespace chancery::archive {
namespace {

constexpr int kBusyWaitMs = 5'000;

[[noreturn]] void fail(sqlite3* handle, int code) {
  throw SqliteError(code, handle != nullptr ? sqlite3_errmsg(handle) : sqlite3_errstr(code));
}

}  // namespace

bool SqliteError::damaged() const { return (code_ & 0xff) == SQLITE_CORRUPT || (code_ & 0xff) == SQLITE_NOTADB; }

Database::Database(const std::filesystem::path& file, Mode mode) {
  const int flags = mode == Mode::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  if (const int code = sqlite3_open_v2(file.c_str(), &handle_, flags | SQLITE_OPEN_NOMUTEX, nullptr);
      code != SQLITE_OK) {
    const SqliteError error(code, fmt::format("{}: {}", file.string(), sqlite3_errstr(code)));
    sqlite3_close(std::exchange(handle_, nullptr));
    throw error;
  }
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, kBusyWaitMs);
  if (const int code = register_tokenizer(handle_); code != SQLITE_OK) {
    sqlite3_close(std::exchange(handle_, nullptr));
    throw SqliteError(code, "this SQLite has no FTS5");
  }
}

Database::Database(Database&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

Database& Database::operator=(Database&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

Database::~Database() { sqlite3_close_v2(handle_); }

void Database::execute(const char* sql) {
  if (const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr); code != SQLITE_OK) fail(handle_, code);
}

Statement::Statement(const Database& database, std::string_view sql) {
  const int code = sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
  if (code != SQLITE_OK) fail(database.handle(), code);
}

Statement::Statement(Statement&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

Statement::~Statement() { sqlite3_finalize(handle_); }

Statement& Statement::bind(int parameter, std::int64_t value) {
  sqlite3_bind_int64(handle_, parameter, value);
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view text) {
  const char* data = text.empty() ? "" : text.data();  // a null pointer would bind NULL
  sqlite3_bind_text64(handle_, parameter, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind_blob(int parameter, Bytes octets) {
  sqlite3_bind_blob64(handle_, parameter, octets.empty() ? "" : octets.data(), octets.size(), SQLITE_STATIC);
  return *this;
}

Statement& Statement::bind_copy(int parameter, std::string_view text) {
  sqlite3_bind_text64(handle_, parameter, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  const SqliteError error(code, sqlite3_errmsg(sqlite3_db_handle(handle_)));
  sqlite3_reset(handle_);
  throw error;
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

Statement& Statement::reset() {
  sqlite3_reset(handle_);
  return *this;
}

std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }

Bytes Statement::octets(int column) const {
  const void* data = sqlite3_column_blob(handle_, column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
}

}  // namespace chancery::archive
