#pragma once
// One client's connection and its upstream. It reads as the message travels:
//
//   on_input → feed → admit (judge, record) → waits until durable → advance → release → apply → one send a side
//
// Rules that everything here serves: a unit leaves only when its records are durable, allowed and refused alike; the
// units of one side leave in order; nothing that waits is without bound (then its side is not read).
#include <array>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "codec/codec.h"
#include "core/id.h"
#include "gateway/shop.h"
#include "net/address.h"
#include "net/dialer.h"
#include "net/stream.h"

namespace chancery::gateway {

class Session final : public net::Stream::Owner, public std::enable_shared_from_this<Session> {
 public:
  Session(Shop& shop, std::shared_ptr<const Service> service, net::Fd client, const net::Address& peer);
  virtual ~Session();

  void start();
  void turn_away();              // over a limit: says so in the protocol where that needs no handshake, and ends
  void durable();                // as far as this session waited for
  void advance();                // more of the log is durable, or the session wants to end
  void retry();                  // the journal's queue has room again
  void stop();                   // the gateway shuts down: what is pending still goes out
  void cut(std::string reason);  // at once; what is pending counts as undeliverable
  void on_journal_failure();

  bool over() const { return state_ == State::over; }
  const std::string& accepted_from() const { return accepted_from_; }  // host of the socket's peer
  const Service& service() const { return *service_; }

 private:
  enum class State : std::uint8_t {
    preface,   // PROXY header of the client
    securing,  // the client's TLS from the first octet
    dialing,   // upstream: name, TCP, direct TLS
    open,
    draining,  // nothing is read any more; what is pending still goes out
    closing,   // goodbye said
    over,
  };
  enum class Until : std::uint8_t { handshake, connect, sign_in, idle, stall, rate, linger };

  // The stages of a beginning (session_begin.cc).
  void read_preface(Bytes octets);
  void secure_client(Bytes received);
  void dial();
  void on_dialed(std::expected<net::Fd, std::error_code> dialed);
  void open();
  void upstream_failed(std::error_code error, std::string_view detail);
  void make_codec();
  net::Address client_local() const;

  // The path of a message (session.cc).
  void on_input(net::Stream& stream, Bytes octets) override;
  void feed(Side from, Bytes octets);
  void admit(Unit&& unit, Instant now);
  void judge(Pending& pending, std::size_t number);
  enum class Recorded : std::uint8_t { all, queue_full, impossible };
  Recorded record(Pending& pending);
  void record_or_block(Pending& pending);
  void lighten(Pending& pending) const;
  void wait_for_durable();
  bool may_leave(const Pending& pending) const;
  void release(std::list<Pending>& queue, Instant now);
  void settle(const Pending& pending, Instant now);

  // What the codec wants done (session_steps.cc).
  void apply();
  void start_tls(Side side);
  void identified(std::string address);
  void resumed(const std::string& key);
  void take_over();
  bool waits_for_old() const;
  void make_way();
  void inherit();
  void show_notices();

  // Limits and endings (session_end.cc).
  void on_secure(net::Stream& stream) override;
  void on_relief(net::Stream& stream) override;
  void on_end(net::Stream& stream, std::error_code error) override;
  void on_closed(net::Stream& stream) override;
  void client_failed(std::error_code error);
  void regulate();
  bool must_pause(Side side);
  void on_clock();
  void arm_clock();
  std::optional<net::Wheel::Clock::time_point> due(Until what) const;
  void on_due(Until what);
  void end(std::optional<Codec::Ending> why, std::error_code error, std::string reason);
  void say_goodbye();
  void abandon();
  void finish();

  bool upstream_gone() const { return over() || !server_ || server_->closed(); }
  Side side_of(const net::Stream& stream) const { return &stream == server_.get() ? Side::server : Side::client; }
  net::Stream* stream(Side side) const { return side == Side::client ? client_.get() : server_.get(); }
  Origin origin(Side from) const;
  void note(Kind kind, std::string detail, std::optional<Counters> counters = {});
  std::list<Pending>& queue(Side from) { return queues_[static_cast<std::size_t>(from)]; }
  void to_spare(std::list<Pending>& from, std::list<Pending>::iterator node);

  Shop& shop_;
  std::shared_ptr<const Service> service_;
  std::unique_ptr<net::Stream> client_;
  std::unique_ptr<net::Stream> server_;
  std::unique_ptr<net::Dial> dial_;
  std::unique_ptr<Codec> codec_;
  net::Timer clock_;

  net::Address peer_;  // of the client, as the PROXY header says where there is one
  std::string accepted_from_;
  ConnectionId connection_;
  SessionId session_;
  std::string account_;
  std::uint64_t own_sequence_ = 0;  // of the connection's own conversation
  Counters counters_;

  std::array<std::list<Pending>, 2> queues_;     // by the side they came from
  std::array<std::size_t, 2> pending_octets_{};  // wire of what is in them
  std::array<bool, 2> held_back_{};              // not read: pending or the other side's queue is full
  bool waits_ = false;                           // in Shop::waiting
  bool blocked_ = false;                         // the journal's queue was full: in Shop::blocked
  std::weak_ptr<Session> before_;                // the connection that a resumption takes over from
  std::vector<DueNotice> due_notices_;           // the protocol could not show them yet
  Buffer early_;                                 // read from the client before the upstream was there

  State state_ = State::preface;
  bool signed_in_ = false;
  bool opened_ = false;  // the stream_open record is written: a stream_close must follow
  std::optional<Codec::Ending> ending_;
  std::error_code ending_error_;
  std::string reason_;  // for the stream_close record
  std::optional<Instant> codec_deadline_;
  net::Wheel::Clock::time_point since_;  // of the state, for its limit
  net::Wheel::Clock::time_point accepted_at_;
  net::Wheel::Clock::time_point last_input_;  // from the client
  double tokens_ = 0;                         // units that the client may send now
  net::Wheel::Clock::time_point tokens_at_;
};

}  // namespace chancery::gateway
