#pragma once
// What every command shares: where it prints, how it ends, how it says what is wrong.
#include <functional>
#include <ostream>
#include <stdexcept>
#include <string>

namespace chancery::app {

// The exit codes of every command; docs/guide/cli.md.
enum class Exit : int {
  ok = 0,      // done, and nothing is wrong
  wrong = 1,   // done, and something was found wrong (altered archive, invalid file, a failed test)
  unsure = 2,  // could not be done or cannot be told: wrong usage, a missing file, no anchor
};

// Ends a command. `what()` is one or more plain sentences for the person who typed it: what is wrong, where, and what
// would be right.
class Failure : public std::runtime_error {
 public:
  explicit Failure(const std::string& sentence, Exit exit = Exit::unsure) : std::runtime_error(sentence), exit_(exit) {}
  Exit exit() const { return exit_; }

 private:
  Exit exit_;
};

struct Context {
  std::ostream& out;
  std::ostream& err;
  std::string program;        // the path this program was started as
  bool json = false;          // --json: results on `out` are JSON, one document or one object a line
  std::function<Exit()> run;  // set by the command that the arguments named; called once after all were parsed
};

}  // namespace chancery::app
