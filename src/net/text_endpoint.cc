#include "net/text_endpoint.h"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "net/stream.h"

namespace chancery::net {
namespace {

constexpr std::uint32_t kHeaderSizeMax = 8'192;
constexpr std::size_t kQueueMax = 1U << 20;

std::string response(int status, std::string_view reason, std::string_view body) {
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n"
      "Cache-Control: no-store\r\nConnection: close\r\n\r\n{}",
      status, reason, body.size(), body);
}

}  // namespace

class TextEndpoint::Connection final : public Stream::Owner {
 public:
  Connection(TextEndpoint& endpoint, Fd fd)
      : endpoint_(endpoint),
        limit_([this] { endpoint_.drop(*this); }),
        stream_(endpoint.loop_, std::move(fd), *this, kQueueMax) {
    parser_.header_limit(kHeaderSizeMax);
    endpoint_.loop_.wheel().arm(limit_, kTimeMax);
  }
  virtual ~Connection() = default;

 private:
  void on_input(Stream& /*stream*/, Bytes octets) override {
    received_.append(octets);
    boost::system::error_code error;
    const std::size_t used = parser_.put(boost::asio::buffer(received_.data(), received_.size()), error);
    received_.erase(0, used);
    if (error == boost::beast::http::error::need_more && received_.size() < kHeaderSizeMax) return;
    stream_.write(error ? response(400, "Bad Request", "not an HTTP request\n") : answer());
    stream_.close();
  }

  std::string answer() {
    const auto& request = parser_.get();
    if (request.method() != boost::beast::http::verb::get)
      return response(405, "Method Not Allowed", "only GET is answered here\n");
    const auto page = endpoint_.pages_.find(std::string_view{request.target().data(), request.target().size()});
    if (page == endpoint_.pages_.end()) return response(404, "Not Found", "no such page\n");
    return response(200, "OK", page->second());
  }

  void on_secure(Stream& /*stream*/) override {}
  void on_relief(Stream& /*stream*/) override {}
  void on_end(Stream& /*stream*/, std::error_code /*error*/) override { endpoint_.drop(*this); }
  void on_closed(Stream& /*stream*/) override { endpoint_.drop(*this); }

  TextEndpoint& endpoint_;
  Timer limit_;
  Stream stream_;
  Buffer received_;
  boost::beast::http::request_parser<boost::beast::http::empty_body> parser_;
};

TextEndpoint::TextEndpoint(Loop& loop, const Address& address, std::map<std::string, Make, std::less<>> pages)
    : loop_(loop),
      pages_(std::move(pages)),
      listener_(loop, address, [this](Fd fd, const Address& /*peer*/) { accept(std::move(fd)); }) {}

TextEndpoint::~TextEndpoint() = default;

void TextEndpoint::accept(Fd fd) {
  if (connections_.size() >= kConnectionsMax) return;
  auto connection = std::make_unique<Connection>(*this, std::move(fd));
  Connection* const key = connection.get();
  connections_.emplace(key, std::move(connection));
}

void TextEndpoint::drop(Connection& connection) {
  const auto found = connections_.find(&connection);
  if (found == connections_.end()) return;
  loop_.dispose([gone = std::shared_ptr<Connection>(std::move(found->second))] {});
  connections_.erase(found);
}

}  // namespace chancery::net
