#pragma once
// The signer as a process of its own: messages over a stream socket, each 4 octets length (big-endian) and the octets.
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "archive/seal/signer_service.h"

namespace chancery::seal {

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

// Answers requests on one connected socket until the other end closes it.
void serve_connection(SignerService& service, int socket);

// Listens on a unix socket (mode 0600, made anew) and serves one connection at a time until `stop` is readable.
// Throws std::system_error when it cannot listen.
void serve_unix(SignerService& service, const std::filesystem::path& path, int stop);

// How this program starts itself as a signer's child: for SignerClient::spawn.
std::vector<std::string> signer_command(const std::filesystem::path& key, const std::filesystem::path& state,
                                        const std::string& origin_prefix);

// A connection to a signer. Connects, or starts the child, at the first request and again after a failure; a request
// waits at most `timeout`.
class SignerClient : public HeadSigner {
 public:
  // A signer that listens on `socket`.
  static std::unique_ptr<SignerClient> connect(std::filesystem::path socket, std::chrono::milliseconds timeout);
  // A child: `command` (program and arguments) is started with one end of a socket pair as descriptor 3. It ends when
  // the client goes.
  static std::unique_ptr<SignerClient> spawn(std::vector<std::string> command, std::chrono::milliseconds timeout);
  ~SignerClient() override;

  std::expected<Buffer, SignFailure> sign(const SignRequest& request) override;
  std::expected<std::vector<merkle::VerifierKey>, SignFailure> verifiers(const std::string& origin) override;

 private:
  SignerClient() = default;
  std::error_code open();
  void close();
  std::expected<Buffer, std::error_code> exchange(Bytes request);

  std::filesystem::path socket_path_;
  std::vector<std::string> command_;
  std::chrono::milliseconds timeout_{};
  Descriptor socket_;
  int child_ = -1;  // process id
};

}  // namespace chancery::seal
