#pragma once
// What differs when a person looks on.
#include <chrono>
#include <cstdio>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>

namespace chancery::app {

// Whether standard output, or standard error, is a terminal.
bool stdout_is_terminal();
bool stderr_is_terminal();

// One line that is written over again, ten times a second at most, on standard error if it is a terminal; else
// nothing. Cleared when it goes.
class Progress {
 public:
  explicit Progress(bool shown = stderr_is_terminal()) : shown_(shown) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();
  void show(const std::string& line);

 private:
  bool shown_;
  bool dirty_ = false;
  std::chrono::steady_clock::time_point next_;
};

// Text of others, for a terminal: control characters (escape sequences among them) become spaces.
std::string harmless(std::string_view text);

}  // namespace chancery::app
