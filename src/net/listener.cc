#include "net/listener.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <system_error>

namespace chancery::net {

Listener::Listener(Loop& loop, const Address& address, Accepted accepted)
    : loop_(loop), accepted_(std::move(accepted)), resume_([this] { loop_.rewatch(fd_.get(), EPOLLIN, *this); }) {
  const auto fail = [&](const char* what) {
    throw std::system_error(errno, std::system_category(), fmt::format("{} {}", what, address.to_string()));
  };
  fd_.reset(::socket(address.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd_) fail("cannot create a socket for");
  const int on = 1;
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd_.get(), address.data(), address.size()) != 0) fail("cannot listen on");
  if (::listen(fd_.get(), kBacklog) != 0) fail("cannot listen on");
  local_ = Address::of_socket(fd_.get()).value_or(address);
  loop_.watch(fd_.get(), EPOLLIN, *this);
}

Listener::~Listener() { loop_.unwatch(fd_.get(), *this); }

void Listener::on_ready(std::uint32_t /*events*/) {
  for (int i = 0; i < kAcceptsMax; ++i) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    Fd fd(::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        loop_.rewatch(fd_.get(), 0, *this);
        loop_.wheel().arm(resume_, kOutOfDescriptors);
      }
      return;
    }
    accepted_(std::move(fd), Address(reinterpret_cast<const sockaddr*>(&peer), size));
  }
}

}  // namespace chancery::net
