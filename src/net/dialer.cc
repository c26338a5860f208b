#include "net/dialer.h"

#include <netdb.h>
#include <sys/socket.h>

namespace chancery::net {
namespace {

class DialCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "dial"; }
  std::string message(int value) const override {
    switch (static_cast<DialError>(value)) {
      case DialError::timed_out:
        return "no connection within the time limit";
      case DialError::not_found:
        return "name has no address";
      case DialError::busy:
        return "too many names to look up";
    }
    return "unknown dial error";
  }
};

}  // namespace

std::error_code make_error_code(DialError error) {
  static const DialCategory kCategory;
  return {static_cast<int>(error), kCategory};
}

Resolver::Resolver(Loop& loop) : loop_(loop), thread_([this] { work(); }) {}

Resolver::~Resolver() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool Resolver::resolve(const std::string& host, std::uint16_t port, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (questions_.size() >= kWaitingMax) return false;
    questions_.push_back({host, port, std::move(done)});
  }
  changed_.notify_one();
  return true;
}

void Resolver::work() {
  while (true) {
    Question question;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !questions_.empty(); });
      if (stopping_) return;
      question = std::move(questions_.front());
      questions_.pop_front();
    }
    loop_.post([done = std::move(question.done), found = look_up(question)]() mutable { done(std::move(found)); });
  }
}

std::vector<Address> Resolver::look_up(const Question& question) {
  const std::string service = std::to_string(question.port);
  const std::string key = question.host + ':' + service;
  const auto now = Wheel::Clock::now();
  if (const auto known = remembered_.find(key); known != remembered_.end() && known->second.until > now)
    return known->second.addresses;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  if (::getaddrinfo(question.host.c_str(), service.c_str(), &hints, &list) != 0) return {};
  std::vector<Address> addresses;
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next)
    addresses.emplace_back(one->ai_addr, one->ai_addrlen);
  ::freeaddrinfo(list);
  std::erase_if(remembered_, [&](const auto& entry) { return entry.second.until <= now; });
  remembered_[key] = {now + kRemembered, addresses};
  return addresses;
}

Dial::Dial(Loop& loop, Resolver& resolver, const std::string& host, std::uint16_t port, std::chrono::milliseconds limit,
           Done done)
    : loop_(loop),
      done_(std::move(done)),
      limit_([this] { finish(std::unexpected(make_error_code(DialError::timed_out))); }),
      alive_(std::make_shared<Dial*>(this)) {
  loop_.wheel().arm(limit_, limit);
  const auto start = [alive = alive_](std::vector<Address> addresses) {
    if (*alive == nullptr) return;
    (*alive)->addresses_ = std::move(addresses);
    (*alive)->try_next();
  };
  if (const auto literal = Address::parse(host, port))
    loop_.post([start, literal] { start({*literal}); });
  else if (!resolver.resolve(host, port, start))
    loop_.post([alive = alive_] {
      if (*alive != nullptr) (*alive)->finish(std::unexpected(make_error_code(DialError::busy)));
    });
}

Dial::~Dial() {
  *alive_ = nullptr;
  drop();
}

void Dial::drop() {
  if (fd_) loop_.unwatch(fd_.get(), *this);
  fd_.reset();
}

void Dial::try_next() {
  drop();
  for (; next_ < addresses_.size(); ++next_) {
    const Address& address = addresses_[next_];
    Fd fd(::socket(address.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd || (::connect(fd.get(), address.data(), address.size()) != 0 && errno != EINPROGRESS)) {
      last_error_ = {errno, std::system_category()};
      continue;
    }
    ++next_;
    fd_ = std::move(fd);
    return loop_.watch(fd_.get(), EPOLLOUT, *this);
  }
  finish(std::unexpected(last_error_));
}

void Dial::on_ready(std::uint32_t /*events*/) {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    last_error_ = {error, std::system_category()};
    return try_next();
  }
  loop_.unwatch(fd_.get(), *this);
  finish(std::move(fd_));
}

void Dial::finish(std::expected<Fd, std::error_code> result) {
  limit_.disarm();
  drop();
  const Done done = std::exchange(done_, nullptr);  // it may destroy this object
  if (done) done(std::move(result));
}

}  // namespace chancery::net
