#include "net/tls.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdexcept>

namespace chancery::net {

// The transport that OpenSSL sees: reads from Tls::in_, writes to Tls::out_.
struct TlsBio {
  static int read(BIO* bio, char* to, int size) {
    auto& in = static_cast<Tls*>(BIO_get_data(bio))->in_;
    BIO_clear_retry_flags(bio);
    if (in.empty()) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const std::size_t count = std::min(in.size(), static_cast<std::size_t>(size));
    std::memcpy(to, in.data(), count);
    in.remove_prefix(count);
    return static_cast<int>(count);
  }

  static int write(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    static_cast<Tls*>(BIO_get_data(bio))->out_->append(from, static_cast<std::size_t>(size));
    return size;
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* method() {
    static const std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)> kMethod = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "chancery memory");
      BIO_meth_set_read(made, &TlsBio::read);
      BIO_meth_set_write(made, &TlsBio::write);
      BIO_meth_set_ctrl(made, &TlsBio::control);
      return std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)>(made, &BIO_meth_free);
    }();
    return kMethod.get();
  }
};

namespace {

class TlsCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "tls"; }
  std::string message(int value) const override {
    switch (static_cast<TlsError>(value)) {
      case TlsError::protocol:
        return "TLS protocol error";
      case TlsError::untrusted:
        return "certificate not trusted";
      case TlsError::wrong_name:
        return "certificate is for another name";
      case TlsError::closed:
        return "closed during the TLS handshake";
    }
    return "unknown TLS error";
  }
};

std::string openssl_reason() {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "unknown reason" : reason;
}

std::shared_ptr<ssl_ctx_st> make_context(const SSL_METHOD* method) {
  std::shared_ptr<ssl_ctx_st> context(SSL_CTX_new(method), &SSL_CTX_free);
  if (!context) throw std::runtime_error("TLS: cannot create a context: " + openssl_reason());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

bool is_address_literal(const std::string& name) {
  unsigned char octets[16];
  return inet_pton(AF_INET, name.c_str(), octets) == 1 || inet_pton(AF_INET6, name.c_str(), octets) == 1;
}

}  // namespace

std::error_code make_error_code(TlsError error) {
  static const TlsCategory kCategory;
  return {static_cast<int>(error), kCategory};
}

std::shared_ptr<const TlsContext> TlsContext::server(const std::filesystem::path& chain,
                                                     const std::filesystem::path& key) {
  auto made = std::shared_ptr<TlsContext>(new TlsContext);
  made->context_ = make_context(TLS_server_method());
  SSL_CTX* context = made->context_.get();
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, chain.c_str()) != 1)
    throw std::runtime_error(chain.string() + ": not a PEM certificate chain: " + openssl_reason());
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1)
    throw std::runtime_error(key.string() + ": not a PEM private key without passphrase, or not the key of " +
                             chain.string() + ": " + openssl_reason());
  if (SSL_CTX_check_private_key(context) != 1)
    throw std::runtime_error(key.string() + ": does not belong to the certificate in " + chain.string());
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  return made;
}

std::shared_ptr<const TlsContext> TlsContext::client(const std::filesystem::path& ca, bool verify) {
  auto made = std::shared_ptr<TlsContext>(new TlsContext);
  made->context_ = make_context(TLS_client_method());
  made->verifies_ = verify;
  SSL_CTX* context = made->context_.get();
  ERR_clear_error();
  if (!verify) {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    return made;
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  const bool loaded =
      ca.empty() ? SSL_CTX_set_default_verify_paths(context) == 1 : SSL_CTX_load_verify_file(context, ca.c_str()) == 1;
  if (!loaded)
    throw std::runtime_error((ca.empty() ? "the system's certificate authorities" : ca.string()) +
                             ": not a PEM bundle of certificates: " + openssl_reason());
  return made;
}

Tls::Tls(const TlsContext& context, Role role, const std::string& name) : ssl_(SSL_new(context.native())) {
  if (ssl_ == nullptr) throw std::bad_alloc();
  BIO* bio = BIO_new(TlsBio::method());
  if (bio == nullptr) {
    SSL_free(ssl_);
    throw std::bad_alloc();
  }
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  if (role == Role::server) {
    SSL_set_accept_state(ssl_);
    return;
  }
  SSL_set_connect_state(ssl_);
  if (is_address_literal(name)) {  // RFC 6066 §3: no address literals in SNI
    if (context.verifies()) X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), name.c_str());
    return;
  }
  SSL_ctrl(ssl_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(name.c_str()));
  if (!context.verifies()) return;
  SSL_set_hostflags(ssl_, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  SSL_set1_host(ssl_, name.c_str());
}

Tls::~Tls() { SSL_free(ssl_); }

Tls::Fed Tls::feed(Bytes in, std::span<char> plain, Buffer& out) {
  if (failed_) return {TlsError::protocol, 0};
  in_ = in;
  out_ = &out;
  Fed fed;
  ERR_clear_error();
  if (!secure_) {
    const int done = SSL_do_handshake(ssl_);
    if (done != 1) {
      if (SSL_get_error(ssl_, done) != SSL_ERROR_WANT_READ) fed.error = fail();
      return fed;
    }
    secure_ = true;
  }
  while (!ended_ && fed.plain_size < plain.size()) {
    std::size_t count = 0;
    const int done = SSL_read_ex(ssl_, plain.data() + fed.plain_size, plain.size() - fed.plain_size, &count);
    if (done == 1) {
      fed.plain_size += count;
      if (in_.empty() && SSL_pending(ssl_) == 0) break;  // spares the call that would only say WANT_READ
      continue;
    }
    const int why = SSL_get_error(ssl_, done);
    if (why == SSL_ERROR_WANT_READ) break;
    if (why == SSL_ERROR_ZERO_RETURN)
      ended_ = true;
    else
      fed.error = fail();
    break;
  }
  return fed;
}

std::error_code Tls::seal(Bytes plain, Buffer& out) {
  out_ = &out;
  ERR_clear_error();
  while (!plain.empty()) {
    std::size_t count = 0;
    if (SSL_write_ex(ssl_, plain.data(), plain.size(), &count) != 1) return fail();
    plain.remove_prefix(count);
  }
  return {};
}

void Tls::close(Buffer& out) {
  if (!secure_ || failed_) return;
  out_ = &out;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

std::error_code Tls::fail() {
  failed_ = true;
  const long verified = SSL_get_verify_result(ssl_);
  if (verified != X509_V_OK && !secure_) {
    detail_ = X509_verify_cert_error_string(verified);
    ERR_clear_error();
    const bool name = verified == X509_V_ERR_HOSTNAME_MISMATCH || verified == X509_V_ERR_IP_ADDRESS_MISMATCH;
    return name ? TlsError::wrong_name : TlsError::untrusted;
  }
  detail_ = openssl_reason();
  return TlsError::protocol;
}

std::string Tls::version() const { return SSL_get_version(ssl_); }

}  // namespace chancery::net
