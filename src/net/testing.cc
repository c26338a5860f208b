#include "net/testing.h"

#include <cstdio>
#include <cstdlib>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdexcept>
#include <sys/socket.h>

namespace chancery::net::testing {
namespace {

std::string openssl_error() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "unknown" : reason;
}

void set_timeouts(int fd) {
  const timeval limit{Peer::kTimeoutSeconds, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "chancery-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Certificate make_certificate(const std::filesystem::path& folder, const std::string& name, const std::string& stem,
                             long valid_seconds) {
  const std::shared_ptr<EVP_PKEY> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const std::shared_ptr<X509> certificate(X509_new(), &X509_free);
  X509* const x = certificate.get();
  X509_set_version(x, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
  X509_gmtime_adj(X509_getm_notBefore(x), -60);
  X509_gmtime_adj(X509_getm_notAfter(x), valid_seconds);
  X509_set_pubkey(x, key.get());
  X509_NAME* const subject = X509_get_subject_name(x);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1,
                             0);
  X509_set_issuer_name(x, subject);
  add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
  const bool literal = Address::parse(name, 0).has_value();
  add_extension(x, NID_subject_alt_name, (literal ? "IP:" : "DNS:") + name);
  X509_sign(x, key.get(), EVP_sha256());
  const Certificate made{folder / (stem + ".crt"), folder / (stem + ".key")};
  const auto write = [](const std::filesystem::path& path, const auto& writer) {
    std::FILE* file = std::fopen(path.c_str(), "w");
    if (file == nullptr) throw std::runtime_error("cannot write " + path.string());
    writer(file);
    std::fclose(file);
  };
  write(made.chain, [&](std::FILE* file) { PEM_write_X509(file, x); });
  write(made.key,
        [&](std::FILE* file) { PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  return made;
}

Peer::Peer(Fd fd) : fd_(std::move(fd)) { set_timeouts(fd_.get()); }
Peer::~Peer() = default;
Peer::Peer(Peer&&) noexcept = default;

Peer Peer::connect(const Address& address) {
  Fd fd(::socket(address.data()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(fd.get(), address.data(), address.size()) != 0)
    throw std::system_error(errno, std::system_category(), "connect");
  return Peer(std::move(fd));
}

void Peer::start_tls_client(const std::string& name, const std::filesystem::path& ca) {
  context_.reset(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free);
  if (!ca.empty()) {
    SSL_CTX_load_verify_file(context_.get(), ca.c_str());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  }
  ssl_.reset(SSL_new(context_.get()), &SSL_free);
  SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(name.c_str()));
  if (!ca.empty()) SSL_set1_host(ssl_.get(), name.c_str());
  handshake(false);
}

void Peer::start_tls_server(const Certificate& certificate) {
  context_.reset(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  SSL_CTX_use_certificate_chain_file(context_.get(), certificate.chain.c_str());
  SSL_CTX_use_PrivateKey_file(context_.get(), certificate.key.c_str(), SSL_FILETYPE_PEM);
  ssl_.reset(SSL_new(context_.get()), &SSL_free);
  handshake(true);
}

void Peer::handshake(bool server) {
  SSL_set_fd(ssl_.get(), fd_.get());
  if ((server ? SSL_accept(ssl_.get()) : SSL_connect(ssl_.get())) == 1) return;
  ssl_.reset();
  throw std::runtime_error("handshake: " + openssl_error());
}

void Peer::send(Bytes octets) {
  while (!octets.empty()) {
    const int size = static_cast<int>(octets.size());
    const auto sent = ssl_ ? static_cast<ssize_t>(SSL_write(ssl_.get(), octets.data(), size))
                           : ::send(fd_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
    if (sent <= 0) throw std::runtime_error("peer: send failed");
    octets.remove_prefix(static_cast<std::size_t>(sent));
  }
}

Buffer Peer::read_some() {
  if (!ahead_.empty()) return std::exchange(ahead_, {});
  Buffer octets(16'384, '\0');
  errno = 0;
  const auto count = ssl_ ? static_cast<ssize_t>(SSL_read(ssl_.get(), octets.data(), static_cast<int>(octets.size())))
                          : ::recv(fd_.get(), octets.data(), octets.size(), 0);
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) throw std::runtime_error("peer: nothing came in time");
  octets.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return octets;
}

Buffer Peer::read_until(Bytes stop) {
  Buffer all;
  while (true) {
    if (const std::size_t at = all.find(stop); at != Buffer::npos) {
      ahead_ = all.substr(at + stop.size());
      all.resize(at + stop.size());
      return all;
    }
    const Buffer more = read_some();
    if (more.empty()) throw std::runtime_error("peer: ended before " + Buffer{stop} + "; got: " + all);
    all += more;
  }
}

Buffer Peer::read_to_end() {
  Buffer all;
  for (Buffer more = read_some(); !more.empty(); more = read_some()) all += more;
  return all;
}

void Peer::shut_down() {
  if (ssl_) SSL_shutdown(ssl_.get());
  ::shutdown(fd_.get(), SHUT_WR);
}

void Peer::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  fd_.reset();
}

std::string Peer::peer_common_name() const {
  const std::shared_ptr<X509> certificate(SSL_get1_peer_certificate(ssl_.get()), &X509_free);
  char name[256] = "";
  if (certificate)
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name, sizeof name);
  return name;
}

Door::Door() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const Address any = *Address::parse("127.0.0.1", 0);
  if (::bind(fd_.get(), any.data(), any.size()) != 0 || ::listen(fd_.get(), 64) != 0)
    throw std::system_error(errno, std::system_category(), "door");
  set_timeouts(fd_.get());
  address_ = *Address::of_socket(fd_.get());
}

Peer Door::accept() {
  Fd fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (!fd) throw std::system_error(errno, std::system_category(), "accept");
  return Peer(std::move(fd));
}

bool turn_until(Loop& loop, const std::function<bool()>& done) {
  bool late = false;
  Timer limit([&] { late = true; });
  loop.wheel().arm(limit, std::chrono::seconds(Peer::kTimeoutSeconds));
  while (!done() && !late) loop.turn(true);
  return done();
}

}  // namespace chancery::net::testing
