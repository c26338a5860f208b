// Limits, back-pressure and every way in which a session ends.
#include <algorithm>

#include "gateway/session.h"

namespace chancery::gateway {
namespace {

using Clock = net::Wheel::Clock;
constexpr std::array kUntil{0, 1, 2, 3, 4, 5, 6};  // Session::Until

}  // namespace

void Session::on_secure(net::Stream& stream) {
  if (side_of(stream) == Side::client && state_ == State::securing) return dial();
  if (side_of(stream) == Side::server && state_ == State::dialing) return open();
}

void Session::on_relief(net::Stream& /*stream*/) {
  if (state_ == State::open) regulate();
}

void Session::on_end(net::Stream& stream, std::error_code error) {
  const auto self = shared_from_this();
  const Side from = side_of(stream);
  switch (state_) {
    case State::preface:
    case State::securing:
      return client_failed(error);
    case State::dialing:
      if (from == Side::server) return upstream_failed(error, stream.tls() != nullptr ? stream.tls()->detail() : "");
      reason_ = "client went before the upstream was there";
      return finish();
    case State::open:
      if (from == Side::server && stream.tls() != nullptr && !stream.secure())
        return upstream_failed(error, stream.tls()->detail());  // STARTTLS that the codec asked for
      break;
    case State::draining:
    case State::closing:
    case State::over:
      return;
  }
  shop_.units.clear();
  const std::error_code cut = codec_->finish(from, shop_.units);
  for (Unit& unit : shop_.units) admit(std::move(unit), net::Loop::now());
  shop_.units.clear();
  if (cut)
    note(Kind::protocol_error, from == Side::client ? "client ended within a unit" : "server ended within a unit");
  const std::string why = error ? error.message() : "ended";
  if (from == Side::client)
    end(std::nullopt, error, "client: " + why);
  else
    end(Codec::Ending::upstream_lost, error, "upstream: " + why);
  advance();
  wait_for_durable();
}

void Session::client_failed(std::error_code error) {
  ++shop_.stats.handshakes_failed;
  const net::Tls* tls = client_->tls();
  shop_.log.debug("client handshake failed", {{"listener", service_->config.name},
                                              {"peer", peer_.host()},
                                              {"why", error.message()},
                                              {"detail", tls != nullptr ? tls->detail() : ""}});
  reason_ = "handshake: " + (error ? error.message() : std::string{"client ended"});
  finish();
}

// ---- Back-pressure -------------------------------------------------------------------------------------------------

bool Session::must_pause(Side side) {
  const auto at = static_cast<std::size_t>(side);
  const net::Stream* target = stream(other(side));
  const std::size_t share = held_back_[at] ? 2 : 1;  // once held back, until half empty: no flapping
  const std::size_t units = queues_[at].size();
  const std::size_t octets = pending_octets_[at];
  if (blocked_) return true;
  if (units >= shop_.limits.pending_units_max / share || octets >= shop_.limits.pending_bytes_max / share) return true;
  // Not by the queue's size: held back for another reason, nobody would say that a half full queue is empty again.
  if (target != nullptr && target->congested()) return true;
  return side == Side::client && shop_.limits.rate_units_per_second > 0 && tokens_ < 0;
}

void Session::regulate() {
  if (shop_.limits.rate_units_per_second > 0 && tokens_ < shop_.limits.rate_burst_units) {
    const auto now = shop_.loop.wheel().now();
    const double passed = std::chrono::duration<double>(now - tokens_at_).count();
    tokens_at_ = now;
    tokens_ = std::min<double>(shop_.limits.rate_burst_units, tokens_ + passed * shop_.limits.rate_units_per_second);
  }
  bool changed = false;
  for (const Side side : {Side::client, Side::server}) {
    bool& held = held_back_[static_cast<std::size_t>(side)];
    net::Stream* const source = stream(side);
    if (source == nullptr || source->closing()) continue;
    const bool pause = must_pause(side);
    changed = changed || pause != held;
    held = pause;
    if (pause)
      source->pause();
    else
      source->resume();
  }
  // Tokens are the clock's business alone, also when what held the client back before has just given way to them.
  if (changed || (held_back_[0] && tokens_ < 0) || codec_->deadline() != codec_deadline_) arm_clock();
}

// ---- Limits of time ------------------------------------------------------------------------------------------------

std::optional<Clock::time_point> Session::due(Until what) const {
  const Limits& limits = shop_.limits;
  const bool ending = state_ == State::draining || state_ == State::closing;
  switch (what) {
    case Until::handshake:
      if (state_ == State::preface || state_ == State::securing) return accepted_at_ + limits.handshake_seconds;
      break;
    case Until::connect:
      if (state_ == State::dialing) return since_ + limits.connect_seconds;
      break;
    case Until::sign_in:
      if (state_ == State::open && !signed_in_) return accepted_at_ + limits.sign_in_seconds;
      break;
    case Until::idle:
      if (state_ == State::open && limits.idle_seconds.count() > 0) return last_input_ + limits.idle_seconds;
      break;
    case Until::stall: {
      std::optional<Clock::time_point> first;
      for (const net::Stream* one : {client_.get(), server_.get()})
        if (one != nullptr && one->stalled_since() && (!first || *one->stalled_since() < *first))
          first = one->stalled_since();
      if (first) return *first + limits.send_stall_seconds;
      // The socket may turn out full only at the turn's end, after the last look at the clock.
      if (held_back_[0] || held_back_[1]) return shop_.loop.wheel().now() + limits.send_stall_seconds;
      break;
    }
    case Until::rate:
      if (state_ == State::open && limits.rate_units_per_second > 0 && tokens_ < 0)
        return tokens_at_ + std::chrono::duration_cast<Clock::duration>(
                                std::chrono::duration<double>(1.0 - tokens_ / limits.rate_units_per_second));
      break;
    case Until::linger:
      if (ending) return since_ + limits.drain_seconds;
      break;
  }
  return std::nullopt;
}

void Session::arm_clock() {
  const auto now = shop_.loop.wheel().now();
  std::optional<Clock::time_point> next;
  for (const int what : kUntil) {
    const auto time = due(static_cast<Until>(what));
    if (time && (!next || *time < *next)) next = time;
  }
  codec_deadline_ = codec_ ? codec_->deadline() : std::nullopt;
  if (codec_deadline_ && state_ == State::open) {
    const auto time = now + std::chrono::duration_cast<Clock::duration>(*codec_deadline_ - net::Loop::now());
    if (!next || time < *next) next = time;
  }
  if (next)
    shop_.loop.wheel().arm(clock_, *next - now);
  else
    clock_.disarm();
}

void Session::on_clock() {
  const auto self = shared_from_this();
  const auto now = shop_.loop.wheel().now();
  for (const int number : kUntil) {
    const auto what = static_cast<Until>(number);
    if (const auto time = due(what); time && *time <= now) on_due(what);
    if (state_ == State::over) return;
  }
  if (state_ == State::open && codec_deadline_ && *codec_deadline_ <= net::Loop::now()) {
    shop_.outbox.clear();
    codec_->expire(net::Loop::now(), shop_.outbox);
    apply();
  }
  if (state_ == State::over) return;
  arm_clock();
  advance();
}

void Session::on_due(Until what) {
  switch (what) {
    case Until::handshake:
      return client_failed(make_error_code(std::errc::timed_out));
    case Until::connect:
      return upstream_failed(make_error_code(std::errc::timed_out), {});
    case Until::sign_in:
      ++shop_.stats.sign_ins_late;
      return end(Codec::Ending::idle, {}, "not signed in in time");
    case Until::idle:
      ++shop_.stats.idle_ended;
      return end(Codec::Ending::idle, {}, "idle");
    case Until::stall:
      ++shop_.stats.stalled_ended;
      reason_ = "a peer took nothing for too long";
      return finish();
    case Until::rate:
      return regulate();
    case Until::linger:
      return finish();
  }
}

// ---- Endings -------------------------------------------------------------------------------------------------------

// No more is read; what is pending still goes out, and then the goodbye, all within Limits::drain_seconds. Without
// `why` the peers are told nothing: the protocol has ended, or nobody is left to hear it.
void Session::end(std::optional<Codec::Ending> why, std::error_code error, std::string reason) {
  if (state_ == State::draining || state_ == State::closing || state_ == State::over) return;
  state_ = State::draining;
  since_ = shop_.loop.wheel().now();
  ending_ = why;
  ending_error_ = error;
  reason_ = std::move(reason);
  if (dial_) shop_.loop.dispose([dial = std::shared_ptr<net::Dial>(std::move(dial_))] {});
  for (net::Stream* one : {client_.get(), server_.get()})
    if (one != nullptr && !one->closing()) one->pause();
  arm_clock();
  if (queues_[0].empty() && queues_[1].empty()) say_goodbye();
}

void Session::say_goodbye() {
  state_ = State::closing;
  since_ = shop_.loop.wheel().now();
  if (ending_ && codec_) {
    shop_.outbox.clear();
    codec_->end(*ending_, ending_error_, shop_.outbox);
    // Where both ends had said goodbye, there is nothing left to say, only to close.
    const bool unexpected =
        *ending_ == Codec::Ending::upstream_lost &&
        std::ranges::any_of(shop_.outbox.steps(), [](const Step& step) { return step.what == Step::What::send; });
    apply();
    if (unexpected) {
      ++shop_.stats.upstream_lost;
      note(Kind::outage,
           fmt::format("upstream {} went away within the session", to_string(service_->config.route.address)));
    }
  }
  for (net::Stream* one : {client_.get(), server_.get()})
    if (one != nullptr) one->close();
  arm_clock();
}

void Session::on_closed(net::Stream& stream) {
  if (&stream == server_.get()) make_way();
  if (state_ != State::closing) return;
  for (const net::Stream* one : {client_.get(), server_.get()})
    if (one != nullptr && !one->closed()) return;
  finish();
}

void Session::stop() {
  if (state_ == State::preface || state_ == State::securing) {
    reason_ = "shutdown";
    return finish();
  }
  end(Codec::Ending::shutdown, {}, "shutdown");
}

void Session::cut(std::string reason) {
  reason_ = std::move(reason);
  finish();
}

void Session::turn_away() {
  ++shop_.stats.over_limit;
  note(Kind::stream_open, peer_.to_string());
  opened_ = true;
  if (service_->config.tls == Tls::direct || service_->config.proxy_protocol.in) {
    reason_ = "over a limit";
    return finish();
  }
  make_codec();
  end(Codec::Ending::overloaded, {}, "over a limit");
}

void Session::on_journal_failure() {
  if (state_ == State::over) return;
  const auto self = shared_from_this();
  if (service_->config.on_journal_failure == OnJournalFailure::forward_and_alarm) {
    retry();
    return advance();
  }
  abandon();
  end(Codec::Ending::not_recorded, {}, "the journal failed");
  if (state_ == State::draining) say_goodbye();
}

// What is pending will never leave.
void Session::abandon() {
  const Instant now = net::Loop::now();
  for (auto& units : queues_)
    while (!units.empty()) {
      for (const Pending::Judged& judged : units.front().judged)
        shop_.recorder.settle(counters_,
                              judged.verdict == Verdict::refuse ? &Counters::refused : &Counters::undeliverable, now);
      to_spare(units, units.begin());
    }
  pending_octets_ = {};
}

void Session::finish() {
  if (state_ == State::over) return;
  const auto self = shared_from_this();
  abandon();
  state_ = State::over;
  make_way();
  clock_.disarm();
  if (opened_) note(Kind::stream_close, reason_, counters_);
  if (dial_) shop_.loop.dispose([gone = std::shared_ptr<net::Dial>(std::move(dial_))] {});
  for (auto* one : {&client_, &server_})
    if (*one) shop_.loop.dispose([gone = std::shared_ptr<net::Stream>(std::move(*one))] {});
  shop_.retire(*this);
}

}  // namespace chancery::gateway
