#include "app/watch/enforcer.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <ifaddrs.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "app/end_signals.h"
#include "config/policy_file.h"
#include "net/fd.h"
#include "net/log.h"
#include "sensor/enforce/apply_request.h"
#include "sensor/enforce/block_export.h"
#include "yaml/yaml.h"

namespace chancery::app::watch {
namespace {

using namespace std::string_view_literals;
using Clock = std::chrono::steady_clock;

constexpr std::array kKeys = {"socket"sv, "client"sv, "user"sv, "never"sv, "program"sv};
constexpr std::chrono::seconds kRequestTime{5};  // for the whole of it; the next one waits
constexpr std::chrono::seconds kAnswerTime{60};  // a large list takes the kernel some time
constexpr std::size_t kSaidMax = 400;            // octets of what the program said that are told

std::string why(int error) { return std::generic_category().message(error); }

const passwd& account(const std::string& name) {
  const passwd* found = ::getpwnam(name.c_str());
  if (found == nullptr) throw Failure(fmt::format("there is no user '{}'", name));
  return *found;
}

// Becomes `user` with CAP_NET_ADMIN, also in what it starts, and nothing else.
void keep_only_net_admin(const std::string& user) {
  const auto check = [](long result, const char* what) {
    if (result != 0)
      throw Failure(
          fmt::format("changing the packet filter needs the right CAP_NET_ADMIN: start as root, or give it to the "
                      "service (AmbientCapabilities=CAP_NET_ADMIN); {}: {}",
                      what, why(errno)));
  };
  if (::geteuid() == 0) {
    const passwd& entry = account(user);
    if (entry.pw_uid == 0) throw Failure("user: the enforcer does not run as root");
    const uid_t uid = entry.pw_uid;
    const gid_t gid = entry.pw_gid;
    for (int capability = 0; capability <= CAP_LAST_CAP; ++capability)
      if (capability != CAP_NET_ADMIN) (void)::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    check(::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keepcaps");
    check(::setgroups(0, nullptr), "setgroups");
    check(::setresgid(gid, gid, gid), "setresgid");
    check(::setresuid(uid, uid, uid), "setresuid");
  }
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  constexpr std::uint32_t kOnly = 1U << CAP_NET_ADMIN;
  const std::array<__user_cap_data_struct, 2> sets{{{kOnly, kOnly, kOnly}, {0, 0, 0}}};
  check(::syscall(SYS_capset, &header, sets.data()), "capset");
  check(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0), "ambient capability");
  check(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
}

sockaddr_un unix_address(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string text = path.string();
  if (text.size() >= sizeof address.sun_path) throw Failure(fmt::format("{}: too long for a socket", text));
  text.copy(address.sun_path, text.size());
  return address;
}

// Who may ask is looked at for each connection; the file only has to be reachable.
net::Fd listen_at(const std::filesystem::path& path) {
  const sockaddr_un address = unix_address(path);
  struct stat found{};
  if (::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) ::unlink(path.c_str());  // of one that was killed
  net::Fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::chmod(path.c_str(), 0666) != 0 || ::listen(fd.get(), 4) != 0)
    throw Failure(fmt::format("{}: {}", path.string(), why(errno)));
  return fd;
}

// What this machine is reached by: blocking it would cut the enforcer off from whoever could mend it.
std::vector<sensor::Network> own_addresses() {
  std::vector<sensor::Network> out;
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) throw std::system_error(errno, std::generic_category(), "getifaddrs");
  for (const ifaddrs* each = all; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    std::optional<sensor::Address> address;
    if (each->ifa_addr->sa_family == AF_INET)
      address = sensor::Address::v4(
          {reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in*>(each->ifa_addr)->sin_addr), 4});
    else if (each->ifa_addr->sa_family == AF_INET6)
      address = sensor::Address::v6(
          {reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in6*>(each->ifa_addr)->sin6_addr), 16});
    if (!address) continue;
    if (const auto network = sensor::Network::parse(address->text())) out.push_back(*network);
  }
  ::freeifaddrs(all);
  return out;
}

net::Fd memory_file(std::string_view octets) {
  net::Fd fd{::memfd_create("chancery", MFD_CLOEXEC)};
  if (!fd) throw std::system_error(errno, std::generic_category(), "memfd_create");
  while (!octets.empty()) {
    const ssize_t count = ::write(fd.get(), octets.data(), octets.size());
    if (count < 0) throw std::system_error(errno, std::generic_category(), "write");
    octets.remove_prefix(static_cast<std::size_t>(count));
  }
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

// Nothing, or why the rules were not taken. They are all taken or none.
std::optional<std::string> load_rules(const std::string& program, std::string_view rules) {
  const net::Fd in = memory_file(rules), said = memory_file({});
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, said.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, said.get(), 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::array<std::string, 3> words{program, "-f", "-"};
  std::array<char*, 4> arguments{words[0].data(), words[1].data(), words[2].data(), nullptr};
  std::array<char*, 1> environment{nullptr};
  pid_t child = 0;
  const int error = ::posix_spawn(&child, program.c_str(), &actions, &attributes, arguments.data(), environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return fmt::format("{}: {}", program, why(error));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::nullopt;
  std::string text(kSaidMax, '\0');
  const ssize_t size = ::pread(said.get(), text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  std::ranges::replace(text, '\n', ' ');
  return fmt::format("{}: {}", program, text);
}

// Up to the peer's last line, its end, the most that a request may have, or its time.
std::string read_request(int fd) {
  const auto end = Clock::now() + kRequestTime;
  std::string request;
  std::array<char, 16'384> buffer;
  while (request.size() <= sensor::kApplySizeMax && !sensor::is_whole_apply_request(request)) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd wait{fd, POLLIN, 0};
    if (left <= 0 || ::poll(&wait, 1, static_cast<int>(left)) <= 0) break;
    const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (count <= 0) break;
    request.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return request;
}

class Enforcer {
 public:
  Enforcer(const EnforcerConfig& config, net::Log& log) : config_(config), log_(log) {
    client_ = account(config.client).pw_uid;
    listener_ = listen_at(config.socket);
    keep_only_net_admin(config.user);
  }
  ~Enforcer() { ::unlink(config_.socket.c_str()); }
  Enforcer(const Enforcer&) = delete;

  void run() {
    const EndSignals signals;
    log_.info("ready", {{"socket", config_.socket.string()}, {"client", config_.client}});
    std::array<pollfd, 2> waits{{{listener_.get(), POLLIN, 0}, {signals.descriptor(), POLLIN, 0}}};
    while ((waits[1].revents & POLLIN) == 0) {
      if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) break;
      if ((waits[0].revents & POLLIN) == 0) continue;
      const net::Fd peer{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      if (peer) serve(peer.get());
    }
    log_.info("stopped", {{"applied", applied_}, {"refused", refused_}, {"failed", failed_}});
  }

 private:
  void serve(int peer) {
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return;
    std::string answer;
    try {
      answer = who.uid == client_ || who.uid == 0 ? apply(read_request(peer), who.uid)
                                                  : refuse("this user may not ask", who.uid);
    } catch (const std::exception& error) {
      answer = fail(error.what());
    }
    answer += '\n';
    (void)::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  std::string apply(const std::string& request, uid_t asks) {
    std::vector<sensor::Network> never = own_addresses();
    never.insert(never.end(), config_.never.begin(), config_.never.end());
    const Instant now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    const auto entries = sensor::read_apply_request(request, never, now);
    if (!entries) return refuse(entries.error(), asks);
    const sensor::Exported rules = sensor::export_blocks(*entries, sensor::BlockFormat::nft, now);
    if (const auto wrong = load_rules(config_.program, rules.text)) return fail(*wrong);
    ++applied_;
    log_.info("applied", {{"entries", rules.written}, {"user", asks}});
    return fmt::format("ok {}", rules.written);
  }

  std::string refuse(std::string_view why_not, uid_t asks) {
    ++refused_;
    log_.warning("refused", {{"why", why_not}, {"user", asks}, {"refused", refused_}});
    return fmt::format("refused: {}", why_not);
  }

  std::string fail(std::string_view why_not) {
    ++failed_;
    log_.error("the rules could not be changed", {{"why", why_not}, {"failed", failed_}});
    return fmt::format("failed: {}", why_not);
  }

  const EnforcerConfig& config_;
  net::Log& log_;
  uid_t client_ = 0;
  net::Fd listener_;
  std::uint64_t applied_ = 0, refused_ = 0, failed_ = 0;
};

}  // namespace

EnforcerConfig load_enforcer_config(const std::filesystem::path& file) {
  const auto map = yaml::Value::parse(config::read_text(file), file.string()).map(kKeys);
  EnforcerConfig config;
  config.socket = file.parent_path() / map.at("socket").text_not_empty();
  config.client = map.at("client").text_not_empty();
  if (const auto user = map.find("user")) config.user = user->text_not_empty();
  if (const auto program = map.find("program")) config.program = file.parent_path() / program->text_not_empty();
  if (const auto never = map.find("never"))
    for (const yaml::Value& value : never->list()) {
      const auto network = sensor::Network::parse(value.text());
      if (!network) value.fail("not a network: write 10.0.0.0/8, 2001:db8::/32 or a single address");
      config.never.push_back(*network);
    }
  return config;
}

Exit run_enforcer(const Context& context, const EnforcerConfig& config) {
  net::Log log{STDERR_FILENO, context.json ? net::Log::Form::json : net::Log::choose_form(STDERR_FILENO)};
  Enforcer{config, log}.run();
  return Exit::ok;
}

std::string ask_enforcer(const std::filesystem::path& socket, std::string_view request) {
  const sockaddr_un address = unix_address(socket);
  const net::Fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const timeval time{kAnswerTime.count(), 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw Failure(fmt::format("{}: {}; is the enforcer running?", socket.string(), why(errno)));
  while (!request.empty()) {
    const ssize_t count = ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
    if (count <= 0) break;  // its answer says why
    request.remove_prefix(static_cast<std::size_t>(count));
  }
  std::string answer;
  std::array<char, 1'024> buffer;
  for (ssize_t count = 0; answer.size() < 4 * buffer.size();
       answer.append(buffer.data(), static_cast<std::size_t>(count)))
    if ((count = ::recv(fd.get(), buffer.data(), buffer.size(), 0)) <= 0) break;
  if (!answer.ends_with('\n')) throw Failure(fmt::format("{}: the enforcer did not answer", socket.string()));
  answer.pop_back();
  return answer;
}

}  // namespace chancery::app::watch
