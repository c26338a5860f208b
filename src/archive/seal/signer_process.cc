#include "archive/seal/signer_process.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "merkle/decimal.h"

extern char** environ;

namespace chancery::seal {
namespace {

constexpr int kChildDescriptor = 3;

std::error_code last_error() { return {errno, std::system_category()}; }

std::error_code send_all(int socket, Bytes octets) {
  while (!octets.empty()) {
    const ssize_t sent = ::send(socket, octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return last_error();
    octets.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

std::expected<Buffer, std::error_code> receive_exactly(int socket, std::size_t size) {
  Buffer octets(size, '\0');
  for (std::size_t done = 0; done < size;) {
    const ssize_t got = ::recv(socket, octets.data() + done, size - done, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(last_error());
    if (got == 0) return std::unexpected(std::make_error_code(std::errc::connection_reset));
    done += static_cast<std::size_t>(got);
  }
  return octets;
}

std::error_code send_message(int socket, Bytes message) {
  const auto size = static_cast<std::uint32_t>(message.size());
  Buffer framed;
  for (int shift = 24; shift >= 0; shift -= 8) framed.push_back(static_cast<char>(size >> shift & 0xff));
  framed += message;
  return send_all(socket, framed);
}

std::expected<Buffer, std::error_code> receive_message(int socket) {
  const auto header = receive_exactly(socket, 4);
  if (!header) return header;
  std::uint32_t size = 0;
  for (const char c : *header) size = size << 8 | static_cast<unsigned char>(c);
  if (size > kSignerMessageSizeMax) return std::unexpected(std::make_error_code(std::errc::message_size));
  return receive_exactly(socket, size);
}

sockaddr_un address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.native().size() >= sizeof address.sun_path)
    throw std::system_error{std::make_error_code(std::errc::filename_too_long), path.string()};
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  return address;
}

void set_timeout(int socket, std::chrono::milliseconds timeout) {
  const timeval time{timeout.count() / 1000, timeout.count() % 1000 * 1000};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

// The far end may close at any time; then the child is started anew at the next request.
std::expected<std::pair<Descriptor, int>, std::error_code> start_child(const std::vector<std::string>& command) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return std::unexpected(last_error());
  Descriptor ours{ends[0]}, theirs{ends[1]};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // dup2 onto the same number would leave it close-on-exec, so move it out of the way first.
  if (theirs.get() == kChildDescriptor) theirs = Descriptor{::fcntl(theirs.get(), F_DUPFD_CLOEXEC, 10)};
  posix_spawn_file_actions_adddup2(&actions, theirs.get(), kChildDescriptor);
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t child = -1;
  const int error = ::posix_spawn(&child, command[0].c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return std::unexpected(std::error_code{error, std::system_category()});
  return std::pair{std::move(ours), static_cast<int>(child)};
}

SignFailure unreachable(std::string what) { return {false, {}, "signer: " + std::move(what)}; }

SignFailure parse_refusal(std::string_view answer) {
  const auto first = answer.find(' '), second = answer.rfind(' ');
  const std::string_view why = answer.substr(first + 1, second - first - 1);
  std::string_view size = answer.substr(second + 1);
  if (size.ends_with('\n')) size.remove_suffix(1);
  for (const Refusal refusal : {Refusal::malformed, Refusal::foreign_origin, Refusal::conflict, Refusal::shrinking,
                                Refusal::forked, Refusal::unknown_key})
    if (why == to_string(refusal)) return {true, {refusal, merkle::parse_decimal(size).value_or(0)}, std::string{why}};
  return unreachable("an answer that is not understood");
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

void serve_connection(SignerService& service, int socket) {
  while (true) {
    const auto request = receive_message(socket);
    if (!request || send_message(socket, service.answer(*request))) return;
  }
}

void serve_unix(SignerService& service, const std::filesystem::path& path, int stop) {
  const Descriptor listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const sockaddr_un address = address_of(path);
  ::unlink(path.c_str());
  const mode_t mask = ::umask(0177);  // the socket's mode is its only access control
  const bool bound = ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const std::error_code error = last_error();
  ::umask(mask);
  if (!bound || ::listen(listener.get(), 8) != 0) throw std::system_error{bound ? last_error() : error, path.string()};
  while (true) {
    pollfd waits[] = {{listener.get(), POLLIN, 0}, {stop, POLLIN, 0}};
    if (::poll(waits, 2, -1) < 0 && errno != EINTR) throw std::system_error{last_error(), path.string()};
    if (waits[1].revents != 0) break;
    if (waits[0].revents == 0) continue;
    const Descriptor connection{::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (connection.is_open()) serve_connection(service, connection.get());
  }
  ::unlink(path.c_str());
}

std::vector<std::string> signer_command(const std::filesystem::path& key, const std::filesystem::path& state,
                                        const std::string& origin_prefix) {
  return {"/proc/self/exe",
          "signer",
          "run",
          "--key",
          key.string(),
          "--state",
          state.string(),
          "--origin-prefix",
          origin_prefix,
          "--fd",
          std::to_string(kChildDescriptor)};
}

std::unique_ptr<SignerClient> SignerClient::connect(std::filesystem::path socket, std::chrono::milliseconds timeout) {
  std::unique_ptr<SignerClient> client{new SignerClient};
  client->socket_path_ = std::move(socket);
  client->timeout_ = timeout;
  return client;
}

std::unique_ptr<SignerClient> SignerClient::spawn(std::vector<std::string> command, std::chrono::milliseconds timeout) {
  std::unique_ptr<SignerClient> client{new SignerClient};
  client->command_ = std::move(command);
  client->timeout_ = timeout;
  return client;
}

SignerClient::~SignerClient() { close(); }

std::error_code SignerClient::open() {
  if (socket_.is_open()) return {};
  if (!command_.empty()) {
    auto started = start_child(command_);
    if (!started) return started.error();
    socket_ = std::move(started->first);
    child_ = started->second;
  } else {
    Descriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const sockaddr_un address = address_of(socket_path_);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return last_error();
    socket_ = std::move(socket);
  }
  set_timeout(socket_.get(), timeout_);
  return {};
}

// Closing our end tells the child to end; the signal is for one that hangs in a sync. Its state file is replaced whole,
// so it may be killed at any point.
void SignerClient::close() {
  socket_ = Descriptor{};
  if (child_ > 0) {
    ::kill(child_, SIGTERM);
    ::waitpid(child_, nullptr, 0);
  }
  child_ = -1;
}

std::expected<Buffer, std::error_code> SignerClient::exchange(Bytes request) {
  if (const auto error = open()) return std::unexpected(error);
  if (const auto error = send_message(socket_.get(), request)) return std::unexpected(error);
  return receive_message(socket_.get());
}

std::expected<Buffer, SignFailure> SignerClient::sign(const SignRequest& request) {
  const auto answer = exchange(request.encode());
  if (!answer) {
    close();
    return std::unexpected(unreachable(answer.error().message()));
  }
  if (answer->starts_with("signed\n")) return answer->substr(7);
  if (answer->starts_with("refused ")) return std::unexpected(parse_refusal(*answer));
  return std::unexpected(unreachable(*answer));
}

std::expected<std::vector<merkle::VerifierKey>, SignFailure> SignerClient::verifiers(const std::string& origin) {
  const auto answer = exchange(fmt::format("keys {}\n", origin));
  if (!answer) {
    close();
    return std::unexpected(unreachable(answer.error().message()));
  }
  constexpr std::string_view kHead = "keys\n";
  std::vector<merkle::VerifierKey> keys;
  for (std::size_t at = kHead.size(); answer->starts_with(kHead) && at < answer->size();) {
    const auto end = std::min(answer->find('\n', at), answer->size());
    const auto key = merkle::VerifierKey::parse(Bytes{*answer}.substr(at, end - at));
    if (!key) return std::unexpected(unreachable("an answer that is not understood"));
    keys.push_back(*key);
    at = end + 1;
  }
  if (keys.empty()) return std::unexpected(unreachable("an answer that is not understood"));
  return keys;
}

}  // namespace chancery::seal
