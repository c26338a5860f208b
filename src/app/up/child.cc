#include "app/up/child.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "app/context.h"
#include "app/up/folder.h"

namespace chancery::app::up {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kPollInterval = std::chrono::milliseconds{20};
constexpr std::size_t kLastWordsMax = 2'000;  // octets

// In the child: only what is safe between fork and exec.
[[noreturn]] void become(const std::vector<char*>& arguments, int log, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(126);  // the parent died before prctl
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

std::string describe(int status) {
  if (WIFEXITED(status)) return "ended with exit code " + std::to_string(WEXITSTATUS(status));
  if (WIFSIGNALED(status)) return std::string{"was ended by signal "} + ::strsignal(WTERMSIG(status));
  return "ended";
}

}  // namespace

Child::Child(std::string name, const std::vector<std::string>& argv, const std::filesystem::path& log)
    : name_(std::move(name)), log_(log) {
  std::vector<char*> arguments;
  for (const auto& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) throw Failure("cannot write " + log.string() + ": " + std::strerror(errno));
  const pid_t self = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) become(arguments, file, self);
  const int error = errno;
  ::close(file);
  if (pid_ < 0) throw Failure("cannot start " + name_ + ": " + std::strerror(error));
}

Child::~Child() { stop(std::chrono::seconds{10}); }

bool Child::running() {
  if (pid_ < 0) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == 0) return true;
  pid_ = -1;
  outcome_ = describe(status);
  exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return false;
}

std::string Child::last_words() const {
  const std::string all = read_file(log_);
  return all.size() <= kLastWordsMax ? all : all.substr(all.size() - kLastWordsMax);
}

bool Child::wait(std::chrono::seconds patience) {
  for (const auto end = Clock::now() + patience; running(); std::this_thread::sleep_for(kPollInterval))
    if (Clock::now() > end) return false;
  return true;
}

void Child::stop(std::chrono::seconds patience) {
  if (!running()) return;
  ::kill(pid_, SIGTERM);
  if (wait(patience)) return;
  ::kill(-pid_, SIGKILL);
  wait(patience);
}

void run_to_end(const std::string& name, const std::vector<std::string>& argv, const std::filesystem::path& log,
                std::chrono::seconds patience) {
  Child child{name, argv, log};
  if (!child.wait(patience)) throw Failure(name + " did not end; see " + log.string());
  if (!child.succeeded()) throw Failure(name + " " + child.outcome() + ":\n" + child.last_words());
}

bool answers(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

void await_answer(Child& child, std::uint16_t port, std::chrono::seconds patience) {
  for (const auto end = Clock::now() + patience; !answers(port); std::this_thread::sleep_for(kPollInterval)) {
    if (!child.running()) throw Failure(child.name() + " " + child.outcome() + ":\n" + child.last_words());
    if (Clock::now() > end)
      throw Failure(child.name() + " does not answer on port " + std::to_string(port) + ":\n" + child.last_words());
  }
}

}  // namespace chancery::app::up
