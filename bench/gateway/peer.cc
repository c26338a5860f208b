#include "peer.h"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace chancery::bench {
namespace {

constexpr std::size_t kReadSize = 65'536;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int make_socket() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) fail("socket");
  return fd;
}

void set_no_delay(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

void settle(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

}  // namespace

void prepare_process() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  std::signal(SIGPIPE, SIG_IGN);
}

ContextPointer server_context(const std::string& chain, const std::string& key) {
  ContextPointer context{SSL_CTX_new(TLS_server_method())};
  settle(context.get());
  if (SSL_CTX_use_certificate_chain_file(context.get(), chain.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1)
    throw std::runtime_error("cannot read the certificate " + chain + " or its key " + key);
  return context;
}

ContextPointer client_context(const std::string& ca) {
  ContextPointer context{SSL_CTX_new(TLS_client_method())};
  settle(context.get());
  if (SSL_CTX_load_verify_file(context.get(), ca.c_str()) != 1) throw std::runtime_error("cannot read the CA " + ca);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

int listen_on_loopback(std::uint16_t port) {
  const int fd = make_socket();
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = loopback(port);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bind");
  if (::listen(fd, 4096) != 0) fail("listen");
  return fd;
}

int connect_to_loopback(std::uint16_t port) {
  const int fd = make_socket();
  const sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS)
    fail("connect");
  return fd;
}

Peer::Peer(int fd, SSL_CTX* context, bool server) : fd_(fd) {
  set_no_delay(fd);
  if (context == nullptr) return;
  ssl_.reset(SSL_new(context));
  SSL_set_fd(ssl_.get(), fd);
  if (server) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
    SSL_set1_host(ssl_.get(), "im.test");
    // SSL_set_tlsext_host_name without the macro's C cast.
    SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>("im.test"));
  }
}

Peer::~Peer() { ::close(fd_); }

void Peer::receive() { ssl_ ? receive_tls() : receive_in_clear(); }

void Peer::receive_in_clear() {
  std::array<char, kReadSize> chunk;
  const ssize_t got = ::recv(fd_, chunk.data(), chunk.size(), 0);
  if (got > 0) in_.append(chunk.data(), static_cast<std::size_t>(got));
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) closed_ = true;
}

void Peer::receive_tls() {
  std::array<char, 16'384> chunk;
  for (;;) {
    ERR_clear_error();
    const int got = SSL_read(ssl_.get(), chunk.data(), static_cast<int>(chunk.size()));
    if (got <= 0) {
      tls_failed(got);
      return;
    }
    in_.append(chunk.data(), static_cast<std::size_t>(got));
    if (SSL_has_pending(ssl_.get()) == 0) return;  // spare the recv that would only say EAGAIN
  }
}

bool Peer::tls_failed(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return false;
    case SSL_ERROR_WANT_WRITE:
      wants_write_ = true;
      return false;
    default:
      closed_ = true;
      return true;
  }
}

void Peer::flush() {
  wants_write_ = false;
  std::size_t done = 0;
  while (done < out_.size() && !closed_) {
    const auto left = std::string_view{out_}.substr(done);
    if (ssl_) {
      ERR_clear_error();
      const int put = SSL_write(ssl_.get(), left.data(), static_cast<int>(left.size()));
      if (put <= 0) {
        tls_failed(put);
        break;
      }
      done += static_cast<std::size_t>(put);
    } else {
      const ssize_t put = ::send(fd_, left.data(), left.size(), MSG_NOSIGNAL);
      if (put < 0) {
        if (errno == EAGAIN)
          wants_write_ = true;
        else if (errno != EINTR)
          closed_ = true;
        break;
      }
      done += static_cast<std::size_t>(put);
    }
  }
  out_.erase(0, done);
}

}  // namespace chancery::bench
