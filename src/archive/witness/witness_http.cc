#include "archive/witness/witness_http.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

#include "merkle/decimal.h"

namespace chancery::witness {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::use_awaitable;
using asio::ip::tcp;

constexpr std::size_t kReasonSizeMax = 200;          // octets of a refusal that are repeated to the operator
constexpr std::chrono::seconds kRequestTimeout{10};  // from one request's end to the next one's, and for an answer

Answer answer_to(WitnessService& service, const http::request<http::string_body>& request) {
  const std::string_view target{request.target().data(), request.target().size()};
  if (target == "/add-checkpoint") {
    if (request.method() == http::verb::post) return service.add_checkpoint(request.body());
    return {.status = 405, .body = "POST is expected here\n", .remember = {}};
  }
  if (request.method() == http::verb::get && target.starts_with("/") && target.ends_with("/checkpoint"))
    return service.checkpoint(target.substr(1, target.size() - 1 - std::string_view{"/checkpoint"}.size()));
  return {.status = 404, .body = "there is nothing here\n", .remember = {}};
}

Answer metrics_of(WitnessService& service, const http::request<http::string_body>& request) {
  if (request.method() != http::verb::get || request.target() != "/metrics")
    return {.status = 404, .body = "only GET /metrics is answered here\n", .remember = {}};
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = service.metrics(), .remember = {}};
}

using Answerer = Answer (*)(WitnessService&, const http::request<http::string_body>&);

asio::awaitable<void> serve(beast::tcp_stream stream, WitnessService& service, Answerer answer_to,
                            std::size_t& connections) {
  beast::flat_buffer buffer;
  try {
    for (bool keep = true; keep;) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(kRequestSizeMax);
      stream.expires_after(kRequestTimeout);
      co_await http::async_read(stream, buffer, parser, use_awaitable);
      const auto& request = parser.get();
      const Answer answer = answer_to(service, request);
      http::response<http::string_body> response{static_cast<http::status>(answer.status), request.version()};
      response.set(http::field::content_type, answer.content_type);
      response.keep_alive(keep = request.keep_alive());
      response.body() = answer.body;
      response.prepare_payload();
      stream.expires_after(kRequestTimeout);
      co_await http::async_write(stream, response, use_awaitable);
    }
  } catch (const boost::system::system_error&) {
    // Closed, too slow, too large or not HTTP: nothing more to say to it.
  }
  --connections;
}

asio::ssl::context trust_of(const Url& url) {
  asio::ssl::context context{asio::ssl::context::tls_client};
  context.set_options(asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
  if (url.ca.empty())
    context.set_default_verify_paths();
  else
    context.load_verify_file(url.ca.string());
  context.set_verify_mode(asio::ssl::verify_peer);
  return context;
}

bool is_address(const std::string& host) {
  boost::system::error_code error;
  asio::ip::make_address(host, error);
  return !error;
}

template <class Stream>
asio::awaitable<void> ask(Stream& stream, const http::request<http::string_body>& request,
                          http::response_parser<http::string_body>& parser) {
  co_await http::async_write(stream, request, use_awaitable);
  beast::flat_buffer buffer;
  parser.body_limit(kRequestSizeMax);
  co_await http::async_read(stream, buffer, parser, use_awaitable);
}

asio::awaitable<void> talk(const Url& url, const http::request<http::string_body>& request,
                           std::chrono::milliseconds timeout, http::response_parser<http::string_body>& parser) {
  const auto executor = co_await asio::this_coro::executor;
  tcp::resolver resolver{executor};
  beast::tcp_stream stream{executor};
  const auto addresses = co_await resolver.async_resolve(url.host, url.port, use_awaitable);
  stream.expires_after(timeout);
  co_await stream.async_connect(addresses, use_awaitable);
  if (!url.is_tls) co_return co_await ask(stream, request, parser);
  asio::ssl::context trust = trust_of(url);
  asio::ssl::stream<beast::tcp_stream> tls{std::move(stream), trust};
  tls.set_verify_callback(asio::ssl::host_name_verification{url.host});
  if (!is_address(url.host)) {
    // RFC 6066 §3; what SSL_set_tlsext_host_name does.
    SSL_ctrl(tls.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(url.host.c_str()));
  }
  co_await tls.async_handshake(asio::ssl::stream_base::client, use_awaitable);
  co_await ask(tls, request, parser);
  // The answer was whole by its own length; how the connection ends says nothing more.
}

}  // namespace

class WitnessServer::Impl {
 public:
  Impl(WitnessService& service, const std::string& address, std::uint16_t port)
      : service_(service), acceptor_(context_, {asio::ip::make_address(address), port}), signals_(context_) {}

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  void run() {
    asio::co_spawn(context_, accept(acceptor_, answer_to), asio::detached);
    if (metrics_) asio::co_spawn(context_, accept(*metrics_, metrics_of), asio::detached);
    context_.run();
  }
  void stop() { context_.stop(); }
  void serve_metrics(const std::string& address, std::uint16_t port) {
    metrics_.emplace(context_, tcp::endpoint{asio::ip::make_address(address), port});
  }
  std::uint16_t metrics_port() const { return metrics_ ? metrics_->local_endpoint().port() : std::uint16_t{0}; }
  void handle_signals() {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) signals_.add(signal);
    await_signal();
  }

 private:
  void await_signal() {
    signals_.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal != SIGHUP) return stop();
      (void)service_.settle();  // what is wrong there stays, and is said by `add-log` and at the next start
      await_signal();
    });
  }

  asio::awaitable<void> accept(tcp::acceptor& acceptor, Answerer answerer) {
    while (true) {
      boost::system::error_code error;
      tcp::socket socket = co_await acceptor.async_accept(asio::redirect_error(use_awaitable, error));
      if (error || connections_ >= kConnectionsMax) continue;  // closed again by its destructor
      ++connections_;
      asio::co_spawn(context_, serve(beast::tcp_stream{std::move(socket)}, service_, answerer, connections_),
                     asio::detached);
    }
  }

  WitnessService& service_;
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  std::optional<tcp::acceptor> metrics_;
  asio::signal_set signals_;
  std::size_t connections_ = 0;
};

WitnessServer::WitnessServer(WitnessService& service, const std::string& address, std::uint16_t port)
    : impl_(std::make_unique<Impl>(service, address, port)) {}
WitnessServer::~WitnessServer() = default;
std::uint16_t WitnessServer::port() const { return impl_->port(); }
void WitnessServer::run() { impl_->run(); }
void WitnessServer::stop() { impl_->stop(); }
void WitnessServer::handle_signals() { impl_->handle_signals(); }
void WitnessServer::serve_metrics(const std::string& address, std::uint16_t port) {
  impl_->serve_metrics(address, port);
}
std::uint16_t WitnessServer::metrics_port() const { return impl_->metrics_port(); }

std::optional<Url> Url::parse(std::string_view text) {
  constexpr std::string_view kPlain = "http://", kTls = "https://";
  const bool is_tls = text.starts_with(kTls);
  if (!is_tls && !text.starts_with(kPlain)) return std::nullopt;
  text.remove_prefix(is_tls ? kTls.size() : kPlain.size());
  const auto slash = std::min(text.find('/'), text.size());
  std::string_view authority = text.substr(0, slash), prefix = text.substr(slash);
  while (prefix.ends_with('/')) prefix.remove_suffix(1);
  Url url{"", is_tls ? "443" : "80", std::string{prefix}, is_tls};
  const auto bracket = authority.rfind(']');  // "[::1]:80"
  const auto colon = authority.rfind(':');
  if (colon != authority.npos && (bracket == authority.npos || colon > bracket)) {
    const auto port = merkle::parse_decimal(authority.substr(colon + 1));
    if (!port || *port == 0 || *port > 65535) return std::nullopt;
    url.port = std::to_string(*port);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) authority = authority.substr(1, authority.size() - 2);
  url.host = authority;
  if (url.host.empty() || url.host.find_first_of("@ \t?#") != url.host.npos) return std::nullopt;
  return url;
}

std::expected<Response, std::string> exchange(const Url& url, bool is_post, const std::string& path, const Buffer& body,
                                              std::chrono::milliseconds timeout) {
  http::request<http::string_body> request{is_post ? http::verb::post : http::verb::get, url.prefix + path, 11};
  request.set(http::field::host, url.host);
  request.keep_alive(false);
  request.body() = body;
  if (is_post) request.prepare_payload();
  asio::io_context context{1};
  http::response_parser<http::string_body> parser;
  std::string failure = "no answer in time";
  asio::co_spawn(context, talk(url, request, timeout, parser), [&](const std::exception_ptr& error) {
    failure.clear();
    try {
      if (error) std::rethrow_exception(error);
    } catch (const std::exception& thrown) {
      failure = thrown.what();
    }
  });
  context.run_for(timeout);  // the resolver has no timer of its own
  if (!failure.empty()) return std::unexpected(failure);
  return Response{parser.get().result_int(), parser.get().body()};
}

std::string in_words(const Response& response) {
  std::string line = response.body.substr(0, std::min(response.body.find('\n'), kReasonSizeMax));
  std::ranges::replace_if(line, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, ' ');
  return line.empty() ? std::to_string(response.status) : fmt::format("{}: {}", response.status, line);
}

std::expected<std::vector<merkle::NoteSignature>, seal::CosignFailure> HttpCosigner::add_checkpoint(
    const merkle::AddCheckpoint& request) {
  const auto response = exchange(url_, true, "/add-checkpoint", request.encode(), timeout_);
  if (!response) return std::unexpected(seal::CosignFailure{{}, response.error()});
  if (response->status == 409) {
    const Bytes body = response->body;
    const auto size = merkle::parse_decimal(body.substr(0, body.find('\n')));
    return std::unexpected(seal::CosignFailure{size, "it saw another size, and does not say which"});
  }
  if (response->status != 200) return std::unexpected(seal::CosignFailure{{}, "it answered " + in_words(*response)});
  auto signatures = merkle::parse_signatures(response->body);
  if (!signatures) return std::unexpected(seal::CosignFailure{{}, "its answer is no list of signatures"});
  return std::move(*signatures);
}

}  // namespace chancery::witness
