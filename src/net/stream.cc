#include "net/stream.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

namespace chancery::net {

Stream::Stream(Loop& loop, Fd fd, Owner& owner, std::size_t queue_max)
    : loop_(loop), fd_(std::move(fd)), owner_(owner), queue_max_(queue_max) {
  // Chat is small writes in both directions: Nagle against delayed ACK would cost 40 ms steps.
  const int on = 1;
  ::setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  watched_ = EPOLLIN;
  loop_.watch(fd_.get(), watched_, *this);
}

Stream::~Stream() {
  loop_.cancel(*this);
  loop_.unwatch(fd_.get(), *this);
}

void Stream::write(Bytes octets) {
  if (broken_ || closing_) return;
  (tls_ ? plain_ : out_).append(octets);
  if (full()) was_full_ = true;
  loop_.defer(*this);
}

void Stream::start_tls(const TlsContext& context, Tls::Role role, const std::string& name, Bytes received) {
  if (tls_ || broken_) return;
  tls_ = std::make_unique<Tls>(context, role, name);
  if (role == Tls::Role::client || !received.empty()) {
    const auto fed = tls_->feed(received, {}, out_);
    if (fed.error) error_ = fed.error;
  }
  loop_.defer(*this);
}

void Stream::pause() {
  if (paused_) return;
  paused_ = true;
  update_watch();
}

void Stream::resume() {
  if (!paused_) return;
  paused_ = false;
  update_watch();
}

void Stream::close() {
  if (closing_) return;
  closing_ = true;
  paused_ = false;
  update_watch();
  loop_.defer(*this);
}

void Stream::on_ready(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) loop_.defer(*this);
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read();
}

void Stream::read() {
  const auto buffer = loop_.read_buffer();
  const ssize_t count = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
  if (count > 0) return take({buffer.data(), static_cast<std::size_t>(count)});
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  const std::error_code error = count == 0 ? std::error_code{} : std::error_code{errno, std::system_category()};
  if (count < 0) broken_ = true;
  const bool in_handshake = tls_ && !tls_->secure();
  end(!error && in_handshake ? make_error_code(TlsError::closed) : error);
}

void Stream::take(Bytes octets) {
  if (closing_ || input_ended_) return;  // discarded: nobody waits for it any more
  if (!tls_) return owner_.on_input(*this, octets);
  const bool was_secure = tls_->secure();
  const std::size_t queued_before = out_.size();
  const auto fed = tls_->feed(octets, loop_.plain_buffer(), out_);
  if (out_.size() != queued_before) loop_.defer(*this);
  if (!was_secure && tls_->secure()) {
    loop_.defer(*this);
    owner_.on_secure(*this);
  }
  if (fed.plain_size > 0 && !closing_) owner_.on_input(*this, {loop_.plain_buffer().data(), fed.plain_size});
  if (fed.error) return end(fed.error);
  if (tls_->ended()) end({});
}

void Stream::end(std::error_code error) {
  if (error == std::errc::broken_pipe || error == std::errc::connection_reset) broken_ = true;
  if (!input_ended_) {
    input_ended_ = true;
    update_watch();
    if (!closing_) owner_.on_end(*this, error);
  }
  if (closing_ || broken_) loop_.defer(*this);
}

void Stream::on_turn_end() {
  flush();
  if (error_) {
    const std::error_code error = std::exchange(error_, {});
    broken_ = true;
    end(error);
  }
  if (closing_) return finish_close();
  if (was_full_ && queued() < queue_max_ / 2) {
    was_full_ = false;
    owner_.on_relief(*this);
  }
}

// One send for all that is queued. Under TLS the records are made in a buffer of the loop; only what the socket does
// not take is kept.
void Stream::flush() {
  if (broken_) return;
  const bool secure = tls_ && tls_->secure();
  if (out_.empty() && plain_.empty()) return;
  Buffer& wire = out_.empty() ? loop_.wire_buffer() : out_;
  if (secure && !plain_.empty()) {
    if (const auto error = tls_->seal(plain_, wire)) error_ = error;
    plain_ = Buffer{};
  }
  std::size_t sent = out_sent_;
  const bool all = send_some(wire, sent);
  if (all) {
    out_sent_ = 0;
    stalled_since_.reset();
    if (&wire == &out_)
      out_ = Buffer{};
    else
      wire.clear();
  } else if (&wire == &out_) {
    if (sent != out_sent_ || !stalled_since_) stalled_since_ = loop_.wheel().now();
    out_sent_ = sent;
    if (out_sent_ > out_.size() / 2) {
      out_.erase(0, out_sent_);
      out_sent_ = 0;
    }
  } else {
    stalled_since_ = loop_.wheel().now();
    out_.assign(wire, sent);
    wire.clear();
  }
  update_watch();
}

// False: the socket takes no more now, or the connection broke (error_).
bool Stream::send_some(Bytes octets, std::size_t& sent) {
  while (sent < octets.size()) {
    const ssize_t count = ::send(fd_.get(), octets.data() + sent, octets.size() - sent, MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) error_ = {errno, std::system_category()};
      return false;
    }
    sent += static_cast<std::size_t>(count);
    // A short send means a full socket: the next call would only say EAGAIN.
    if (sent < octets.size()) return false;
  }
  return true;
}

void Stream::finish_close() {
  const bool handshaking = tls_ && !tls_->secure();
  if (!broken_ && !shut_ && (handshaking ? out_.empty() : queued() == 0)) {
    if (tls_ && !handshaking) {
      tls_->close(out_);
      if (!out_.empty()) [[maybe_unused]]
        const auto ignored = ::send(fd_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
      out_ = Buffer{};
    }
    shut_ = true;
    // FIN before close(2): closing with unread input would send RST, and the peer might lose our last words.
    ::shutdown(fd_.get(), SHUT_WR);
  }
  if (closed_told_ || !(broken_ || (shut_ && input_ended_))) return;
  closed_told_ = true;
  watch_for(0);
  owner_.on_closed(*this);
}

void Stream::update_watch() {
  std::uint32_t events = 0;
  if (!paused_ && !input_ended_) events |= EPOLLIN;
  if (!broken_ && !out_.empty()) events |= EPOLLOUT;
  watch_for(events);
}

void Stream::watch_for(std::uint32_t events) {
  if (events == watched_) return;
  // EPOLLHUP and EPOLLERR are reported whether asked for or not: a stream that wants nothing must leave the set, or
  // the loop would spin.
  if (events == 0)
    loop_.unwatch(fd_.get(), *this);
  else if (watched_ == 0)
    loop_.watch(fd_.get(), events, *this);
  else
    loop_.rewatch(fd_.get(), events, *this);
  watched_ = events;
}

}  // namespace chancery::net
