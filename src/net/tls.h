#pragma once
// TLS as OpenSSL does it, between two memory spans: no socket, so that its user decides what a system call costs, and
// no buffers while nothing is under way (SSL_MODE_RELEASE_BUFFERS). Why not asio::ssl:
// docs/adr/0062-tls-on-the-socket.md.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "core/bytes.h"

struct ssl_st;
struct ssl_ctx_st;
struct bio_st;

namespace chancery::net {

enum class TlsError {
  protocol = 1,  // the peer broke the protocol, or speaks no version or cipher that we accept
  untrusted,     // its certificate leads to no authority that we trust, or is not valid now
  wrong_name,    // its certificate is for another name
  closed,        // the peer closed in the middle of the handshake
};
std::error_code make_error_code(TlsError error);

// Certificate, key and authorities, loaded once and shared by connections; immutable. To reload, make a new one:
// connections that are up keep theirs.
class TlsContext {
 public:
  // For listeners. TLS 1.2 or later, no session tickets, no renegotiation. Throws std::runtime_error that names the
  // file, also when the key does not belong to the certificate.
  static std::shared_ptr<const TlsContext> server(const std::filesystem::path& chain, const std::filesystem::path& key);

  // For upstreams. `ca` empty: the system's authorities. Without `verify` any certificate is taken. Throws likewise.
  static std::shared_ptr<const TlsContext> client(const std::filesystem::path& ca, bool verify);

  ssl_ctx_st* native() const { return context_.get(); }
  bool verifies() const { return verifies_; }

 private:
  TlsContext() = default;
  std::shared_ptr<ssl_ctx_st> context_;
  bool verifies_ = false;
};

// One connection's TLS. Octets that must go to the peer are appended to the `out` of each call.
class Tls {
 public:
  enum class Role : std::uint8_t { server, client };

  // `name` (client): for SNI and for what the certificate must carry; may be an address literal.
  Tls(const TlsContext& context, Role role, const std::string& name);
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  bool secure() const { return secure_; }  // the handshake is done
  bool ended() const { return ended_; }    // the peer sent close_notify

  // Takes all of `in`, appends what decrypts to `plain` from `plain_size` on. An error is final.
  struct Fed {
    std::error_code error;
    std::size_t plain_size = 0;
  };
  Fed feed(Bytes in, std::span<char> plain, Buffer& out);

  std::error_code seal(Bytes plain, Buffer& out);  // only once `secure`
  void close(Buffer& out);                         // appends close_notify

  const std::string& detail() const { return detail_; }  // of the error, for the log: no secrets in it
  std::string version() const;                           // "TLSv1.3"

 private:
  std::error_code fail();

  ssl_st* ssl_ = nullptr;
  Bytes in_;
  Buffer* out_ = nullptr;
  bool secure_ = false;
  bool ended_ = false;
  bool failed_ = false;
  std::string detail_;

  friend struct TlsBio;
};

}  // namespace chancery::net

template <>
struct std::is_error_code_enum<chancery::net::TlsError> : std::true_type {};
