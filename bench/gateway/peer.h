#pragma once
// One non-blocking TCP connection, in clear or under TLS, as the load generator and the sink use it: octets in and out
// of strings, no framing. Both tools are single-threaded epoll loops, so that what they cost is small and constant
// beside what is measured.
#include <cstdint>
#include <memory>
#include <openssl/ssl.h>
#include <string>
#include <string_view>

namespace chancery::bench {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using SslPointer = std::unique_ptr<SSL, FreeSsl>;
using ContextPointer = std::unique_ptr<SSL_CTX, FreeSsl>;

// TLS 1.3 only, AES-128-GCM, no tickets, no resumption: the same on every side of every race. Throws on bad files.
ContextPointer server_context(const std::string& chain, const std::string& key);
ContextPointer client_context(const std::string& ca);

// As many descriptors as the system allows, and no death by SIGPIPE.
void prepare_process();

int listen_on_loopback(std::uint16_t port);   // non-blocking listening socket; throws
int connect_to_loopback(std::uint16_t port);  // non-blocking, connecting; throws

class Peer {
 public:
  // Takes the socket. `context` may be null (in clear).
  Peer(int fd, SSL_CTX* context, bool server);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  int fd() const { return fd_; }
  bool closed() const { return closed_; }
  bool wants_write() const { return wants_write_; }
  std::string& in() { return in_; }

  void queue(std::string_view octets) { out_.append(octets); }
  bool has_output() const { return !out_.empty(); }

  void receive();  // appends to in() what has come; sets closed() at the end
  void flush();    // writes what was queued, as far as it goes

 private:
  void receive_in_clear();
  void receive_tls();
  bool tls_failed(int result);

  int fd_;
  SslPointer ssl_;
  std::string in_;
  std::string out_;
  bool wants_write_ = false;
  bool closed_ = false;
};

}  // namespace chancery::bench
