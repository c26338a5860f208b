#include "app/up/ports.h"

#include <algorithm>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sstream>
#include <sys/socket.h>
#include <unistd.h>

#include "app/context.h"
#include "app/up/folder.h"

namespace chancery::app::up {
namespace {

// Binds to `port` for a moment (0: any); the port it got, 0 when it is taken.
std::uint16_t try_bind(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);  // a port in TIME_WAIT is free for us
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = ::bind(fd, generic, size) == 0 && ::getsockname(fd, generic, &size) == 0;
  ::close(fd);
  return bound ? ntohs(address.sin_port) : std::uint16_t{0};
}

}  // namespace

Ports::Ports(std::filesystem::path file) : file_(std::move(file)) {
  std::istringstream lines{read_file(file_)};
  std::string name;
  unsigned port = 0;
  while (lines >> name) {
    if (!(lines >> port) || port == 0 || port > 65'535)
      throw Failure(file_.string() + ": after '" + name +
                    "' a port (1-65535) should stand; remove the file to choose anew");
    ports_[name] = static_cast<std::uint16_t>(port);
  }
}

std::uint16_t Ports::take(const std::string& name, std::uint16_t preferred) {
  if (const auto known = ports_.find(name); known != ports_.end()) {
    if (try_bind(known->second) == 0)
      throw Failure("port " + std::to_string(known->second) + " (" + name +
                    ") is taken by another program; stop it, or remove " + file_.string() + " to choose other ports");
    return known->second;
  }
  const bool doubled = std::ranges::any_of(ports_, [&](const auto& other) { return other.second == preferred; });
  std::uint16_t port = doubled || preferred == 0 ? std::uint16_t{0} : try_bind(preferred);
  if (port == 0) port = try_bind(0);
  if (port == 0) throw Failure("no free port on 127.0.0.1 for " + name);
  return ports_[name] = port;
}

void Ports::save() const {
  std::string text;
  for (const auto& [name, port] : ports_) text += name + " " + std::to_string(port) + "\n";
  write_file(file_, text, kPublicFile);
}

}  // namespace chancery::app::up
