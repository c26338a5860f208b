#pragma once
// For tests only: certificates made on the spot, and peers that block, on threads of their own or of the test.
#include <filesystem>
#include <memory>
#include <string>

#include "core/bytes.h"
#include "net/address.h"
#include "net/fd.h"
#include "net/loop.h"

struct ssl_st;
struct ssl_ctx_st;

namespace chancery::net::testing {

// A folder of its own that is removed with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A self-signed P-256 certificate for `name`, as <folder>/<stem>.crt and .key; it is its own authority.
struct Certificate {
  std::filesystem::path chain;
  std::filesystem::path key;
};
Certificate make_certificate(const std::filesystem::path& folder, const std::string& name,
                             const std::string& stem = "server", long valid_seconds = 3600);

// A blocking peer. Reads fail after kTimeout, so that a broken test ends.
class Peer {
 public:
  static constexpr int kTimeoutSeconds = 20;
  explicit Peer(Fd fd);
  static Peer connect(const Address& address);
  ~Peer();
  Peer(Peer&&) noexcept;

  // Both throw std::runtime_error with the reason when the handshake fails. `ca` empty: not verified.
  void start_tls_client(const std::string& name, const std::filesystem::path& ca = {});
  void start_tls_server(const Certificate& certificate);

  void send(Bytes octets);
  Buffer read_some();             // empty: the peer ended
  Buffer read_until(Bytes stop);  // throws when the peer ends before it
  Buffer read_to_end();
  void shut_down();  // our half
  void reset();      // RST
  int fd() const { return fd_.get(); }
  std::string peer_common_name() const;

 private:
  void handshake(bool server);
  Fd fd_;
  std::shared_ptr<ssl_ctx_st> context_;
  std::shared_ptr<ssl_st> ssl_;
  Buffer ahead_;
};

// A blocking listener on a port of the system's choice.
class Door {
 public:
  Door();
  const Address& address() const { return address_; }
  std::uint16_t port() const { return address_.port(); }
  Peer accept();  // throws after Peer::kTimeoutSeconds

 private:
  Fd fd_;
  Address address_;
};

// Turns the loop until `done`, for at most Peer::kTimeoutSeconds; false: it was not.
bool turn_until(Loop& loop, const std::function<bool()>& done);

}  // namespace chancery::net::testing
