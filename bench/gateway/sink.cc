// gateway_sink PORT [CHAIN KEY]: the smallest server that a gateway can stand before. It speaks just enough XMPP to
// sign anybody in, and routes each <message to='user@…'> to that user by looking for substrings. It is not an IM
// server; it is the cheapest possible thing to measure a proxy against.
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unordered_map>
#include <vector>

#include "peer.h"

namespace chancery::bench {
namespace {

constexpr std::string_view kHeader =
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='s1' "
    "from='im.test' version='1.0'>";
constexpr std::string_view kOfferSasl =
    "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>"
    "</stream:features>";
constexpr std::string_view kOfferBind =
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>";

struct User {
  Peer peer;
  std::string name;
  bool authenticated = false;
  bool dirty = false;
  User(int fd, SSL_CTX* context) : peer(fd, context, true) {}
};

std::string_view between(std::string_view text, std::string_view before, char after) {
  const auto at = text.find(before);
  if (at == std::string_view::npos) return {};
  const auto rest = text.substr(at + before.size());
  return rest.substr(0, rest.find(after));
}

class Sink {
 public:
  Sink(std::uint16_t port, ContextPointer context) : context_(std::move(context)), listener_(listen_on_loopback(port)) {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    watch(listener_, EPOLLIN, EPOLL_CTL_ADD);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 1024> events;
    for (;;) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == listener_)
          accept_all();
        else if (const auto found = users_.find(event.data.fd); found != users_.end())
          serve(*found->second, event.events);
      }
      flush_dirty();
    }
  }

 private:
  void watch(int fd, std::uint32_t interest, int operation) {
    epoll_event event{};
    event.events = interest;
    event.data.fd = fd;
    ::epoll_ctl(epoll_, operation, fd, &event);
  }

  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      users_.emplace(fd, std::make_unique<User>(fd, context_.get()));
      watch(fd, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  void serve(User& user, std::uint32_t what) {
    if ((what & EPOLLOUT) != 0) mark(user);
    if ((what & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) user.peer.receive();
    consume(user);
    mark(user);
  }

  void mark(User& user) {
    if (user.dirty) return;
    user.dirty = true;
    dirty_.push_back(&user);
  }

  void flush_dirty() {
    for (User* user : dirty_) {
      user->dirty = false;
      const bool waited = user->peer.wants_write();
      if (user->peer.has_output()) user->peer.flush();
      if (user->peer.wants_write() != waited)
        watch(user->peer.fd(), user->peer.wants_write() ? EPOLLIN | EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
      if (user->peer.closed()) gone_.push_back(user->peer.fd());
    }
    dirty_.clear();
    for (const int fd : gone_) forget(fd);
    gone_.clear();
  }

  void forget(int fd) {
    const auto found = users_.find(fd);
    if (found == users_.end()) return;
    if (const auto named = by_name_.find(found->second->name);
        named != by_name_.end() && named->second == found->second.get())
      by_name_.erase(named);
    users_.erase(found);
  }

  // Takes whole tags and stanzas off the front of what has come.
  void consume(User& user) {
    std::string& in = user.peer.in();
    std::size_t at = 0;
    for (;;) {
      const std::string_view rest = std::string_view{in}.substr(at);
      const std::size_t taken = take(user, rest);
      if (taken == 0) break;
      at += taken;
    }
    in.erase(0, at);
  }

  std::size_t take(User& user, std::string_view rest) {
    if (rest.empty()) return 0;
    if (rest[0] == ' ' || rest[0] == '\n') return 1;
    if (rest.starts_with("<message")) return take_stanza(rest, "</message>", [&](auto stanza) { route(user, stanza); });
    if (rest.starts_with("<auth"))
      return take_stanza(rest, "</auth>", [&](auto stanza) { authenticate(user, stanza); });
    if (rest.starts_with("<iq")) return take_stanza(rest, "</iq>", [&](auto stanza) { bind(user, stanza); });
    const auto end = rest.find('>');
    if (end == std::string_view::npos) return 0;
    if (rest.starts_with("<stream:stream")) {
      user.peer.queue(kHeader);
      user.peer.queue(user.authenticated ? kOfferBind : kOfferSasl);
    } else if (rest.starts_with("</stream:stream")) {
      user.peer.queue("</stream:stream>");
    }
    return end + 1;
  }

  template <class Then>
  std::size_t take_stanza(std::string_view rest, std::string_view closing, Then then) {
    const auto end = rest.find(closing);
    if (end == std::string_view::npos) return 0;
    then(rest.substr(0, end + closing.size()));
    return end + closing.size();
  }

  void authenticate(User& user, std::string_view) {
    user.authenticated = true;
    user.peer.queue("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
  }

  void bind(User& user, std::string_view stanza) {
    user.name = between(stanza, "<resource>", '<');
    by_name_[user.name] = &user;
    user.peer.queue("<iq type='result' id='");
    user.peer.queue(between(stanza, "id='", '\''));
    user.peer.queue("'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>" + user.name +
                    "@im.test/r</jid></bind></iq>");
  }

  void route(User& sender, std::string_view stanza) {
    const auto found = by_name_.find(std::string{between(stanza, "to='", '@')});
    if (found == by_name_.end()) return;
    User& receiver = *found->second;
    receiver.peer.queue("<message from='");
    receiver.peer.queue(sender.name);
    receiver.peer.queue("@im.test/r'");
    receiver.peer.queue(stanza.substr(std::string_view{"<message"}.size()));
    mark(receiver);
  }

  ContextPointer context_;
  int listener_;
  int epoll_ = -1;
  std::unordered_map<int, std::unique_ptr<User>> users_;
  std::unordered_map<std::string, User*> by_name_;
  std::vector<User*> dirty_;
  std::vector<int> gone_;
};

}  // namespace
}  // namespace chancery::bench

int main(int argc, char** argv) {
  using namespace chancery::bench;
  if (argc != 2 && argc != 4) {
    std::fprintf(stderr, "usage: gateway_sink PORT [CHAIN KEY]\n");
    return 2;
  }
  prepare_process();
  try {
    Sink{static_cast<std::uint16_t>(std::atoi(argv[1])), argc == 4 ? server_context(argv[2], argv[3]) : nullptr}.run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gateway_sink: %s\n", error.what());
    return 1;
  }
}
