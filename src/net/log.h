#pragma once
// The program's own log: one line an event, with named fields. Never message text, never a secret: what is said is in
// the journal. Any thread.
#include <cstdint>
#include <fmt/format.h>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>

namespace chancery::net {

enum class Level : std::uint8_t { debug, info, warning, error, alarm };
std::string_view to_string(Level level);

// A named value. Numbers and text; made where it is used: log.info("accepted", {{"peer", peer}, {"count", 3}}).
struct Field {
  Field(std::string_view name_, std::string_view value_) : name(name_), value(value_) {}
  Field(std::string_view name_, const char* value_) : name(name_), value(value_) {}
  Field(std::string_view name_, const std::string& value_) : name(name_), value(value_) {}
  template <class Number>
    requires std::is_arithmetic_v<Number>
  Field(std::string_view name_, Number value_) : name(name_), value(fmt::to_string(value_)), number(true) {}

  std::string_view name;
  std::string value;
  bool number = false;
};
using Fields = std::initializer_list<Field>;

class Log {
 public:
  enum class Form : std::uint8_t {
    plain,     // "12:04:05.123 warning upstream is down  listener=xmpp"
    json,      // one object a line
    journald,  // as plain without the time, with the priority prefix of sd-daemon(3)
  };
  // Plain on a terminal, journald when the standard error is the journal's (JOURNAL_STREAM), else JSON.
  static Form choose_form(int fd);

  explicit Log(int fd, Form form, Level least = Level::info) : fd_(fd), form_(form), least_(least) {}

  void debug(std::string_view text, Fields fields = {}) { write(Level::debug, text, fields); }
  void info(std::string_view text, Fields fields = {}) { write(Level::info, text, fields); }
  void warning(std::string_view text, Fields fields = {}) { write(Level::warning, text, fields); }
  void error(std::string_view text, Fields fields = {}) { write(Level::error, text, fields); }
  // Someone must come: also to syslog with LOG_ALERT, wherever the log itself goes.
  void alarm(std::string_view text, Fields fields = {});

  void write(Level level, std::string_view text, Fields fields);

 private:
  const int fd_;
  const Form form_;
  const Level least_;
  std::mutex mutex_;
};

}  // namespace chancery::net
