#pragma once
// One non-blocking TCP connection, in clear or under TLS. It reads into buffers of the loop and writes once a turn all
// that was queued in the turn, so an idle stream owns no buffer and a message costs one recv and one send.
#include <chrono>
#include <memory>
#include <string>
#include <system_error>

#include "core/bytes.h"
#include "net/address.h"
#include "net/fd.h"
#include "net/loop.h"
#include "net/tls.h"

namespace chancery::net {

class Stream final : public Pollable, public Deferred {
 public:
  // Who reads the stream. Calls come from the loop, never from within `write`, `start_tls` or `close`. The stream may
  // not be destroyed inside a call: use Loop::dispose.
  class Owner {
   public:
    virtual void on_input(Stream& stream, Bytes octets) = 0;  // valid during the call; never empty
    virtual void on_secure(Stream& stream) = 0;               // the TLS handshake is done
    virtual void on_relief(Stream& stream) = 0;               // the queue, once full, is less than half full
    // Nothing more will be read. No error: the peer ended its half, and may still read ours. With one: all is over.
    virtual void on_end(Stream& stream, std::error_code error) = 0;
    virtual void on_closed(Stream& stream) = 0;  // `close` has sent all it will, or gave up; last call

   protected:
    ~Owner() = default;
  };

  Stream(Loop& loop, Fd fd, Owner& owner, std::size_t queue_max);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Queued, sent at the end of the turn; under TLS: once the handshake is done. Never refuses: who writes looks at
  // `full` and stops producing.
  void write(Bytes octets);

  // What was written before goes out in clear, what is written after under TLS. `received`: octets of the handshake
  // that were read already. The context must be kept alive by the caller until this returns.
  void start_tls(const TlsContext& context, Tls::Role role, const std::string& name, Bytes received = {});

  void pause();   // stop reading (back-pressure); the peer feels it through TCP
  void resume();  // read again
  bool paused() const { return paused_; }

  // Sends what is queued, then close_notify and FIN; what arrives meanwhile is discarded. on_closed follows when the
  // peer has closed too; whoever cannot wait so long destroys the stream.
  void close();
  bool closing() const { return closing_; }
  bool closed() const { return closed_told_; }  // on_closed was called
  bool ended() const { return input_ended_; }
  bool broken() const { return broken_; }  // nothing that is written arrives any more

  std::size_t queued() const { return out_.size() - out_sent_ + plain_.size(); }
  bool full() const { return queued() >= queue_max_; }
  bool congested() const { return was_full_; }  // it was full, and on_relief is still to come
  // Since when the peer has taken nothing of what is queued; nullopt: nothing is queued.
  std::optional<Wheel::Clock::time_point> stalled_since() const { return stalled_since_; }

  bool has_tls() const { return tls_ != nullptr; }
  bool secure() const { return tls_ && tls_->secure(); }
  const Tls* tls() const { return tls_.get(); }
  int fd() const { return fd_.get(); }

 private:
  void on_ready(std::uint32_t events) override;
  void on_turn_end() override;

  void read();
  void take(Bytes octets);
  void flush();
  bool send_some(Bytes octets, std::size_t& sent);
  void finish_close();
  void watch_for(std::uint32_t events);
  void update_watch();
  void end(std::error_code error);

  Loop& loop_;
  Fd fd_;
  Owner& owner_;
  std::unique_ptr<Tls> tls_;
  Buffer out_;    // as it goes to the socket
  Buffer plain_;  // to be encrypted at the next flush
  std::size_t out_sent_ = 0;
  std::size_t queue_max_;
  std::optional<Wheel::Clock::time_point> stalled_since_;
  std::error_code error_;      // of a flush; told at the turn's end
  std::uint32_t watched_ = 0;  // EPOLL* bits asked for
  bool paused_ = false;
  bool input_ended_ = false;
  bool broken_ = false;  // nothing can be written any more
  bool closing_ = false;
  bool shut_ = false;  // FIN sent
  bool closed_told_ = false;
  bool was_full_ = false;
};

}  // namespace chancery::net
