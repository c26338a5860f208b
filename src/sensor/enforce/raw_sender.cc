#include "sensor/enforce/raw_sender.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace chancery::sensor {
namespace {

// -1 with errno.
int open_socket(int family, const std::string& interface) {
  const int handle = ::socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
  if (handle < 0) return -1;
  const int on = 1;
  // IPPROTO_RAW implies IP_HDRINCL for IPv4 (raw(7)); IPv6 has its own since Linux 4.5.
  const bool included = family == AF_INET || ::setsockopt(handle, IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof on) == 0;
  const bool bound = interface.empty() || ::setsockopt(handle, SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(),
                                                       static_cast<socklen_t>(interface.size())) == 0;
  if (included && bound) return handle;
  const int error = errno;
  ::close(handle);
  errno = error;
  return -1;
}

std::string explain(int error, const std::string& interface) {
  if (error == EPERM || error == EACCES)
    return "sending resets needs the right CAP_NET_RAW: start as root (it is dropped after opening), or give the right "
           "to "
           "the service (AmbientCapabilities=CAP_NET_RAW)";
  if (error == ENODEV)
    return fmt::format("there is no interface '{}' to send resets from; `ip link` lists them", interface);
  return fmt::format("a socket to send resets cannot be opened: {}", std::generic_category().message(error));
}

}  // namespace

std::expected<RawSender, std::string> RawSender::open(const std::string& interface) {
  const int v4 = open_socket(AF_INET, interface);
  if (v4 < 0) return std::unexpected{explain(errno, interface)};
  const int v6 = open_socket(AF_INET6, interface);
  if (v6 < 0 && errno != EAFNOSUPPORT) {  // a machine without IPv6 has nothing to reset there
    const int error = errno;
    ::close(v4);
    return std::unexpected{explain(error, interface)};
  }
  return RawSender{v4, v6};
}

RawSender::RawSender(RawSender&& other) noexcept
    : v4_(std::exchange(other.v4_, -1)), v6_(std::exchange(other.v6_, -1)) {}

RawSender& RawSender::operator=(RawSender&& other) noexcept {
  std::swap(v4_, other.v4_);
  std::swap(v6_, other.v6_);
  return *this;
}

RawSender::~RawSender() {
  if (v4_ >= 0) ::close(v4_);
  if (v6_ >= 0) ::close(v6_);
}

bool RawSender::send(Bytes ip_packet) {
  if (ip_packet.size() < 20) return false;
  if (static_cast<unsigned char>(ip_packet[0]) >> 4U == 4) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    std::memcpy(&to.sin_addr, ip_packet.data() + 16, 4);
    return ::sendto(v4_, ip_packet.data(), ip_packet.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) >= 0;
  }
  if (v6_ < 0 || ip_packet.size() < 40) return false;
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  std::memcpy(&to.sin6_addr, ip_packet.data() + 24, 16);
  return ::sendto(v6_, ip_packet.data(), ip_packet.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) >= 0;
}

}  // namespace chancery::sensor
