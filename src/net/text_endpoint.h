#pragma once
// A tiny HTTP/1.1 server for texts that are made on demand: metrics for Prometheus, and "/healthz". One answer a
// connection; HTTP is parsed by Boost.Beast.
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "net/listener.h"
#include "net/loop.h"

namespace chancery::net {

class TextEndpoint {
 public:
  using Make = std::function<std::string()>;

  // Throws like Listener. `pages`: path to text.
  TextEndpoint(Loop& loop, const Address& address, std::map<std::string, Make, std::less<>> pages);
  ~TextEndpoint();
  TextEndpoint(const TextEndpoint&) = delete;
  TextEndpoint& operator=(const TextEndpoint&) = delete;

  const Address& local() const { return listener_.local(); }

 private:
  static constexpr std::size_t kConnectionsMax = 16;
  static constexpr std::chrono::seconds kTimeMax{5};  // of one connection

  class Connection;
  void accept(Fd fd);
  void drop(Connection& connection);

  Loop& loop_;
  std::map<std::string, Make, std::less<>> pages_;
  std::map<Connection*, std::unique_ptr<Connection>> connections_;
  Listener listener_;
};

}  // namespace chancery::net
