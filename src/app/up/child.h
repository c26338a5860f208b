#pragma once
// A program that `chancery up` runs beside itself: its output goes to a file, it ends when we do.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace chancery::app::up {

class Child {
 public:
  // Starts `argv` (argv[0] is a path) with its output appended to `log`. In its own process group, so that Ctrl-C
  // reaches only us and we stop our children in order; killed if this process dies. Failure when it cannot start.
  Child(std::string name, const std::vector<std::string>& argv, const std::filesystem::path& log);
  ~Child();  // stops it
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  const std::string& name() const { return name_; }
  // Reaps it if it has ended; then `outcome` says how, in words.
  bool running();
  const std::string& outcome() const { return outcome_; }
  std::string last_words() const;  // the end of its log

  // SIGTERM, and SIGKILL to its group after `patience`.
  void stop(std::chrono::seconds patience);
  // Waits for its own end; false when it was still running after `patience` (it goes on).
  bool wait(std::chrono::seconds patience);
  bool succeeded() const { return exit_code_ == 0; }

 private:
  std::string name_;
  std::filesystem::path log_;
  int pid_ = -1;
  int exit_code_ = -1;
  std::string outcome_;
};

// Runs a program to its end; Failure with its last words when it fails.
void run_to_end(const std::string& name, const std::vector<std::string>& argv, const std::filesystem::path& log,
                std::chrono::seconds patience);

// Whether something answers on that loopback port.
bool answers(std::uint16_t port);
// Until something answers; Failure when the child ends before, or after `patience`.
void await_answer(Child& child, std::uint16_t port, std::chrono::seconds patience);

}  // namespace chancery::app::up
