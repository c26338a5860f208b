#pragma once
// C2SP tlog-witness over HTTP/1.1: the witness's server and the log's client. The only file here that opens sockets.
// The server speaks plain HTTP: what is said is signed and public; for a hop over a foreign network put TLS in front of
// it. The client speaks both.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "archive/seal/cosigner.h"
#include "archive/witness/witness_service.h"

namespace chancery::witness {

inline constexpr std::size_t kRequestSizeMax = 128U << 10;  // octets of a body, either way
inline constexpr std::size_t kConnectionsMax = 256;

class WitnessServer {
 public:
  // Listens at once; port 0 takes a free one. Throws std::system_error. `service` must outlive the server.
  WitnessServer(WitnessService& service, const std::string& address, std::uint16_t port);
  ~WitnessServer();
  // Answers GET /metrics on an address of its own. Before `run`.
  void serve_metrics(const std::string& address, std::uint16_t port);
  std::uint16_t port() const;
  std::uint16_t metrics_port() const;  // 0: none
  void run();                          // until `stop`
  void stop();                         // any thread; a signal handler's thread too
  void handle_signals();               // SIGINT and SIGTERM stop it, SIGHUP looks for logs that were added

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// "http://host[:port][/prefix]", or https
struct Url {
  std::string host, port, prefix;
  bool is_tls = false;
  std::filesystem::path ca{};  // PEM bundle that the server's certificate must lead to; empty: the system's
  static std::optional<Url> parse(std::string_view text);
};

struct Response {
  unsigned status = 0;
  Buffer body;
};
std::string in_words(const Response& response);  // "404: this witness does not watch …"

// One request on a connection of its own. The error is a sentence.
std::expected<Response, std::string> exchange(const Url& url, bool is_post, const std::string& path, const Buffer& body,
                                              std::chrono::milliseconds timeout);

class HttpCosigner : public seal::Cosigner {
 public:
  HttpCosigner(Url url, merkle::VerifierKey key, std::chrono::milliseconds timeout = std::chrono::seconds{3})
      : url_(std::move(url)), key_(std::move(key)), timeout_(timeout) {}
  const merkle::VerifierKey& key() const override { return key_; }
  std::expected<std::vector<merkle::NoteSignature>, seal::CosignFailure> add_checkpoint(
      const merkle::AddCheckpoint& request) override;

 private:
  Url url_;
  merkle::VerifierKey key_;
  std::chrono::milliseconds timeout_;
};

}  // namespace chancery::witness
