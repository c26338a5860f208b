#include "config/check.h"

#include <arpa/inet.h>
#include <cstdio>
#include <ctime>
#include <fmt/format.h>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/address.h"
#include "config/policy_file.h"

namespace chancery::config {
namespace {

namespace fs = std::filesystem;
using Weight = Finding::Weight;

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* object) const { Free(object); }
};
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

class Checker {
 public:
  Checker(const gateway::Config& config, Instant now) : config_(config), now_(now) {}

  std::vector<Finding> run() {
    folders();
    signer();
    policy();
    for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
      const auto& listener = config_.listeners[i];
      place_ = fmt::format("listeners[{}] {}", i, listener.name);
      certificate(listener);
      route(listener.route);
      can_listen(listener.address);
      exposure(listener);
    }
    if (!config_.metrics.host.empty()) {
      place_ = "metrics";
      can_listen(config_.metrics);
    }
    return std::move(findings_);
  }

 private:
  void error(std::string sentence) { findings_.push_back({Weight::error, place_, std::move(sentence)}); }
  void warning(std::string sentence) { findings_.push_back({Weight::warning, place_, std::move(sentence)}); }

  bool readable(const fs::path& file) {
    const File in{std::fopen(file.c_str(), "rb")};
    if (!in) error(fmt::format("cannot read {}: {}", file.string(), std::generic_category().message(errno)));
    return in != nullptr;
  }

  // A secret that others than its owner can read is no secret.
  void private_file(const fs::path& file) {
    struct stat info{};
    constexpr mode_t kOthers = 0007, kGroupWrite = 0020;
    if (stat(file.c_str(), &info) == 0 && (info.st_mode & (kOthers | kGroupWrite)) != 0)
      warning(fmt::format("{} can be read or changed by others; chmod 0600 or 0640", file.string()));
  }

  void folders() {
    for (const auto& [name, folder] : {std::pair{"archive", &config_.archive},
                                       {"index", &config_.index},
                                       {"keys", &config_.keys},
                                       {"state", &config_.state}}) {
      place_ = name;
      std::error_code ignored;
      if (fs::exists(*folder, ignored) && !fs::is_directory(*folder, ignored))
        error(fmt::format("{} is not a folder", folder->string()));
      auto existing = *folder;
      while (!existing.empty() && existing != existing.root_path() && !fs::exists(existing, ignored))
        existing = existing.parent_path();
      if (access(existing.c_str(), W_OK | X_OK) != 0)
        error(fmt::format("{} cannot be written by this user", existing.string()));
    }
  }

  void signer() {
    place_ = "signer";
    std::error_code ignored;
    if (!config_.signer.socket.empty() && !fs::is_socket(config_.signer.socket, ignored))
      warning(fmt::format("no signer listens at {} yet; start `chancery signer`", config_.signer.socket.string()));
  }

  void policy() {
    place_ = "policy";
    if (config_.policy.empty()) {
      warning("no policy: every message is recorded and forwarded");
      return;
    }
    try {
      load_policy(config_.policy, config_.state);
    } catch (const std::exception& e) {
      error(e.what());
    }
  }

  void certificate(const gateway::Listener& listener) {
    if (listener.tls == gateway::Tls::none) return;
    const auto& [source, chain, key] = listener.certificate;
    Certificate leaf;
    PrivateKey secret;
    if (readable(chain)) {
      const File in{std::fopen(chain.c_str(), "rb")};
      leaf.reset(PEM_read_X509(in.get(), nullptr, nullptr, nullptr));
      if (!leaf) error(fmt::format("{} holds no PEM certificate", chain.string()));
    }
    if (readable(key)) {
      private_file(key);
      const File in{std::fopen(key.c_str(), "rb")};
      const auto no_password = [](char*, int, int, void*) { return -1; };
      secret.reset(PEM_read_PrivateKey(in.get(), nullptr, no_password, nullptr));
      if (!secret) error(fmt::format("{} holds no PEM private key, or an encrypted one", key.string()));
    }
    ERR_clear_error();
    if (leaf && secret && X509_check_private_key(leaf.get(), secret.get()) != 1)
      error(fmt::format("{} does not belong to the certificate in {}", key.string(), chain.string()));
    ERR_clear_error();
    if (leaf) validity(*leaf, chain.string());
    if (leaf && !listener.host.empty() && !carries(*leaf, listener.host))
      warning(fmt::format("the certificate does not carry the name {}; clients that check it will not connect",
                          listener.host));
  }

  static bool carries(X509& leaf, const std::string& host) {
    return (is_ip_literal(host) ? X509_check_ip_asc(&leaf, host.c_str(), 0)
                                : X509_check_host(&leaf, host.data(), host.size(), 0, nullptr)) == 1;
  }

  void validity(X509& leaf, const std::string& file) {
    using std::chrono::days;
    auto now = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(now_));
    auto soon = now + std::chrono::seconds{days{kExpiryWarningDays}}.count();
    if (X509_cmp_time(X509_get0_notBefore(&leaf), &now) > 0)
      error(fmt::format("{} is not valid yet", file));
    else if (X509_cmp_time(X509_get0_notAfter(&leaf), &now) < 0)
      error(fmt::format("{} has expired", file));
    else if (X509_cmp_time(X509_get0_notAfter(&leaf), &soon) < 0)
      warning(fmt::format("{} expires within {} days", file, kExpiryWarningDays));
  }

  void route(const gateway::Route& route) {
    if (!route.ca.empty() && readable(route.ca)) {
      const File in{std::fopen(route.ca.c_str(), "rb")};
      const Certificate first{PEM_read_X509(in.get(), nullptr, nullptr, nullptr)};
      if (!first) error(fmt::format("{} holds no PEM certificate", route.ca.string()));
      ERR_clear_error();
    }
    if (route.tls != gateway::Tls::none && !route.verify)
      warning("the upstream's certificate is not verified: anybody on the way could be the server");
    if (route.tls == gateway::Tls::none && !is_loopback(route.address.host))
      warning(fmt::format("the way to {} is not encrypted", to_string(route.address)));
  }

  void exposure(const gateway::Listener& listener) {
    if (listener.tls == gateway::Tls::none && !is_loopback(listener.address.host))
      warning("clients are served without TLS: passwords and messages cross the network in clear");
    if (listener.on_journal_failure == gateway::OnJournalFailure::forward_and_alarm)
      warning("when the journal fails, messages pass unrecorded (on_journal_failure: forward-and-alarm)");
  }

  static bool is_loopback(std::string_view host) {
    return host.starts_with("127.") || host == "::1" || host == "localhost";
  }

  // That the address belongs to this machine; that its port is free is not asked: the gateway may be running.
  void can_listen(const gateway::Address& address) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(address.host.c_str(), "0", &hints, &found) != 0) {
      error(fmt::format("{} is no address of this system's kind", address.host));
      return;
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner{found, freeaddrinfo};
    const int socket = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0 || ::bind(socket, found->ai_addr, found->ai_addrlen) != 0)
      error(fmt::format("cannot listen on {}: {}", address.host, std::generic_category().message(errno)));
    if (socket >= 0) ::close(socket);
  }

  const gateway::Config& config_;
  Instant now_;
  std::string place_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> check(const gateway::Config& config, Instant now) { return Checker(config, now).run(); }

}  // namespace chancery::config
