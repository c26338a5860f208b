#include "net/log.h"

#include <cstdlib>
#include <syslog.h>
#include <unistd.h>

#include "core/time.h"
#include "core/utf8.h"

namespace chancery::net {
namespace {

void append_json(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : to_utf8_lossy(text)) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

// Peers choose parts of what is logged: no control character may reach a terminal or forge a line.
void append_plain(std::string& out, std::string_view text) {
  const std::string clean = to_utf8_lossy(text);
  const bool quote = clean.empty() || clean.find_first_of(" \"=") != std::string::npos;
  if (quote) out += '"';
  for (const char c : clean) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else if (c == '"')
      out += "\\\"";
    else
      out += c;
  }
  if (quote) out += '"';
}

int priority(Level level) {
  switch (level) {
    case Level::debug:
      return LOG_DEBUG;
    case Level::info:
      return LOG_INFO;
    case Level::warning:
      return LOG_WARNING;
    case Level::error:
      return LOG_ERR;
    case Level::alarm:
      return LOG_ALERT;
  }
  return LOG_ERR;
}

std::string plain_line(std::string_view text, Fields fields) {
  std::string line{text};
  for (const Field& field : fields) {
    line += &field == fields.begin() ? "  " : " ";
    line += field.name;
    line += '=';
    append_plain(line, field.value);
  }
  return line;
}

std::string json_line(Level level, Instant now, std::string_view text, Fields fields) {
  std::string line = fmt::format("{{\"time\":\"{}\",\"level\":\"{}\",\"message\":", to_rfc3339(now), to_string(level));
  append_json(line, text);
  for (const Field& field : fields) {
    line += ',';
    append_json(line, field.name);
    line += ':';
    if (field.number)
      line += field.value;
    else
      append_json(line, field.value);
  }
  line += '}';
  return line;
}

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
    case Level::alarm:
      return "alarm";
  }
  return "error";
}

Log::Form Log::choose_form(int fd) {
  if (::isatty(fd) == 1) return Form::plain;
  return std::getenv("JOURNAL_STREAM") != nullptr ? Form::journald : Form::json;
}

void Log::alarm(std::string_view text, Fields fields) {
  ::syslog(LOG_ALERT | LOG_DAEMON, "chancery: %s", plain_line(text, fields).c_str());
  write(Level::alarm, text, fields);
}

void Log::write(Level level, std::string_view text, Fields fields) {
  if (level < least_) return;
  const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  std::string line;
  switch (form_) {
    case Form::plain:
      line = fmt::format("{} {:<7} {}\n", to_rfc3339(now).substr(11, 12), to_string(level), plain_line(text, fields));
      break;
    case Form::json:
      line = json_line(level, now, text, fields) + '\n';
      break;
    case Form::journald:
      line = fmt::format("<{}>{}\n", priority(level), plain_line(text, fields));
      break;
  }
  const std::lock_guard lock(mutex_);
  [[maybe_unused]] const auto written = ::write(fd_, line.data(), line.size());
}

}  // namespace chancery::net
