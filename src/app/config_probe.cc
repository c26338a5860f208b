#include "app/config_probe.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fmt/format.h>
#include <memory>
#include <netdb.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>

#include "codec/wire/xml.h"
#include "core/encoding.h"
#include "net/fd.h"
#include "net/tls.h"

namespace chancery::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kStreams = "http://etherx.jabber.org/streams";
constexpr std::string_view kStartTls = "urn:ietf:params:xml:ns:xmpp-tls";
constexpr std::string_view kSasl = "urn:ietf:params:xml:ns:xmpp-sasl";
constexpr std::string_view kChannelBindings = "urn:xmpp:sasl-cb:0";            // XEP-0440
constexpr std::string_view kCapabilities = "http://jabber.org/protocol/caps";  // XEP-0115
constexpr std::string_view kProbeUser = "chancery-config-check";

// A sentence for ProbeResult::error.
struct Unanswered : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A TCP connection, with TLS or without, whose calls wait; all of them together end by one deadline.
class Wire {
 public:
  Wire(const gateway::Address& to, Clock::time_point deadline) : deadline_(deadline) { connect(to); }

  void start_tls(const gateway::Route& route) {
    tls_ = std::make_unique<net::Tls>(*net::TlsContext::client(route.ca, route.verify), net::Tls::Role::client,
                                      route.server_name);
    Buffer out;
    take({}, out);  // the client speaks first
    while (!tls_->secure()) take(read_socket(), out);
  }

  std::string tls_version() const { return tls_ ? tls_->version() : std::string{}; }

  void send(Bytes octets) {
    Buffer out;
    if (tls_) {
      if (const auto error = tls_->seal(octets, out)) throw Unanswered("TLS: " + error.message());
    } else {
      out = octets;
    }
    write_socket(out);
  }

  // Some octets; waits for at least one.
  Buffer receive() {
    while (tls_ && plain_.empty()) {
      Buffer out;
      take(read_socket(), out);
    }
    return tls_ ? std::exchange(plain_, {}) : read_socket();
  }

 private:
  void connect(const gateway::Address& to) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const auto port = std::to_string(to.port);
    if (const int error = getaddrinfo(to.host.c_str(), port.c_str(), &hints, &found); error != 0)
      throw Unanswered(fmt::format("{} is not found: {}", to.host, gai_strerror(error)));
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner{found, freeaddrinfo};
    int error = 0;
    for (const auto* one = found; one; one = one->ai_next) {
      socket_ = net::Fd{::socket(one->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
      if (::connect(socket_.get(), one->ai_addr, one->ai_addrlen) == 0) return;
      error = errno;
      if (error != EINPROGRESS) continue;
      wait(POLLOUT);
      socklen_t size = sizeof error;
      getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
      if (error == 0) return;
    }
    throw Unanswered(fmt::format("cannot connect to {}: {}", to_string(to), std::generic_category().message(error)));
  }

  void wait(short events) const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now());
    pollfd one{socket_.get(), events, 0};
    if (left.count() <= 0 || poll(&one, 1, static_cast<int>(left.count())) == 0) throw Unanswered("no answer in time");
  }

  Buffer read_socket() const {
    std::array<char, 16'384> octets;
    wait(POLLIN);
    const auto size = recv(socket_.get(), octets.data(), octets.size(), 0);
    if (size == 0) throw Unanswered("the server closed the connection");
    if (size < 0) throw Unanswered(std::generic_category().message(errno));
    return {octets.data(), static_cast<std::size_t>(size)};
  }

  void write_socket(Bytes octets) const {
    while (!octets.empty()) {
      wait(POLLOUT);
      const auto size = ::send(socket_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
      if (size < 0) throw Unanswered(std::generic_category().message(errno));
      octets.remove_prefix(static_cast<std::size_t>(size));
    }
  }

  // Feeds TLS and sends what it answers.
  void take(Bytes in, Buffer& out) {
    std::array<char, 32'768> plain;
    const auto fed = tls_->feed(in, plain, out);
    write_socket(std::exchange(out, {}));
    plain_.append(plain.data(), fed.plain_size);
    if (fed.error)
      throw Unanswered(tls_->detail().empty() ? "TLS: " + fed.error.message()
                                              : fmt::format("TLS: {} ({})", fed.error.message(), tls_->detail()));
  }

  Clock::time_point deadline_;
  net::Fd socket_;
  std::unique_ptr<net::Tls> tls_;
  Buffer plain_;
};

// The beginning of an XMPP stream, as a client sees it.
class Conversation {
 public:
  Conversation(const gateway::Route& route, const std::string& domain, Clock::time_point deadline)
      : route_(route), domain_(domain), wire_(route.address, deadline), scanner_(Limits{}) {}

  void ask(ProbeResult& result) {
    if (route_.tls == gateway::Tls::direct) wire_.start_tls(route_);
    auto features = open_stream();
    if (route_.tls == gateway::Tls::starttls) {
      if (!features.child("starttls", kStartTls)) throw Unanswered("the server offers no STARTTLS");
      wire_.send(fmt::format("<starttls xmlns='{}'/>", kStartTls));
      if (!next().is("proceed", kStartTls)) throw Unanswered("the server refused STARTTLS");
      scanner_.discard_and_restart();
      wire_.start_tls(route_);
      features = open_stream();
    }
    result.tls_version = wire_.tls_version();
    read(features, result);
    ask_flag(result);
  }

 private:
  xml::Element open_stream() {
    wire_.send(
        fmt::format("<?xml version='1.0'?><stream:stream to='{}' version='1.0' xmlns='jabber:client' "
                    "xmlns:stream='{}'>",
                    domain_, kStreams));
    const auto element = next();
    if (element.is("features", kStreams)) return element;
    const auto condition = element.first_child().name();
    throw Unanswered(fmt::format("the server answers the stream to {} with {}", domain_,
                                 condition.empty() ? element.qualified_name() : condition));
  }

  // The next stanza; valid until the next call.
  xml::Element next() {
    for (;;) {
      while (const auto item = scanner_.next()) {
        if (item->kind == xml::Item::Kind::stanza) return item->element;
        if (item->kind == xml::Item::Kind::close) throw Unanswered("the server closed the stream");
      }
      if (scanner_.error()) throw Unanswered("the server's XML: " + scanner_.error().message());
      received_ = wire_.receive();
      scanner_.feed(received_);
    }
  }

  static void read(const xml::Element& features, ProbeResult& result) {
    for (const auto& mechanism : features.child("mechanisms", kSasl).children())
      result.mechanisms.emplace_back(mechanism.text());
    for (const auto& binding : features.child("sasl-channel-binding", kChannelBindings).children())
      result.bindings.emplace_back(binding.attribute("type"));
    const auto node = features.child("c", kCapabilities).attribute("node");
    for (const auto* name : {"prosody", "ejabberd"})
      if (node.find(name) != std::string_view::npos) result.server = name;
  }

  // The same sign-in with `n` (cannot bind) and `y` (could, but you do not offer it): where the answers differ, the
  // server refuses the flag itself.
  void ask_flag(ProbeResult& result) {
    for (const auto* mechanism : {"SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"}) {
      if (std::ranges::find(result.mechanisms, mechanism) == result.mechanisms.end()) continue;
      const auto without = sign_in(mechanism, 'n');
      const auto with = sign_in(mechanism, 'y');
      result.y_flag = with == without ? ProbeResult::Flag::accepted : ProbeResult::Flag::refused;
      result.y_condition = with;
      return;
    }
  }

  // "challenge", or the failure's condition.
  std::string sign_in(std::string_view mechanism, char flag) {
    const auto first = fmt::format("{},,n={},r=chancery-config-check-0", flag, kProbeUser);
    wire_.send(fmt::format("<auth xmlns='{}' mechanism='{}'>{}</auth>", kSasl, mechanism, to_base64(first)));
    const auto answer = next();
    if (!answer.is("challenge", kSasl)) return std::string{answer.first_child().name()};
    wire_.send(fmt::format("<abort xmlns='{}'/>", kSasl));
    next();  // <failure><aborted/></failure>
    return "challenge";
  }

  const gateway::Route& route_;
  const std::string& domain_;
  Wire wire_;
  xml::Scanner scanner_;
  Buffer received_;
};

}  // namespace

ProbeResult probe_xmpp(const gateway::Route& route, const std::string& domain, std::chrono::milliseconds timeout) {
  ProbeResult result;
  try {
    Conversation(route, domain, Clock::now() + timeout).ask(result);
  } catch (const std::runtime_error& error) {  // Unanswered, or what TlsContext says about its files
    result.error = error.what();
  }
  return result;
}

}  // namespace chancery::app
