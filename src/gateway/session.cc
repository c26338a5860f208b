#include "gateway/session.h"

#include <algorithm>

#include "net/random.h"

namespace chancery::gateway {
namespace {

// Network-scope events of a connection have a conversation of their own, named like the connection.
ConversationId own_conversation(const ConnectionId& connection) {
  ConversationId id;
  id.octets = connection.octets;
  return id;
}

constexpr std::size_t kSliceSize = 4'096;  // octets decoded at once; any number gives the same units

}  // namespace

Session::Session(Shop& shop, std::shared_ptr<const Service> service, net::Fd client, const net::Address& peer)
    : shop_(shop),
      service_(std::move(service)),
      client_(std::make_unique<net::Stream>(shop.loop, std::move(client), *this, shop.limits.send_queue_bytes_max)),
      clock_([this] { on_clock(); }),
      peer_(peer),
      accepted_from_(peer.host()),
      connection_(net::random_id<ConnectionId>()),
      since_(shop.loop.wheel().now()),
      accepted_at_(since_),
      last_input_(since_),
      tokens_(shop.limits.rate_burst_units),
      tokens_at_(since_) {}

Session::~Session() = default;

// ---- The path of a message -----------------------------------------------------------------------------------------

void Session::on_input(net::Stream& stream, Bytes octets) {
  const Side from = side_of(stream);
  if (from == Side::client) last_input_ = shop_.loop.wheel().now();
  switch (state_) {
    case State::preface:
      return read_preface(octets);
    case State::securing:
    case State::dialing:
      // The client spoke before its upstream was there. One read at most: it is paused meanwhile.
      if (from == Side::client) early_.append(octets);
      return;
    case State::open:
      return feed(from, octets);
    case State::draining:
    case State::closing:
    case State::over:
      return;
  }
}

// In slices, so that what a unit is read into is still in the caches when it is judged and recorded.
void Session::feed(Side from, Bytes octets) {
  const auto self = shared_from_this();  // an ending may retire the session
  const Instant now = net::Loop::now();
  std::error_code error;
  while (!octets.empty() && !error && state_ == State::open) {
    const Bytes slice = octets.substr(0, kSliceSize);
    octets.remove_prefix(slice.size());
    shop_.units.clear();
    error = codec_->feed(from, slice, now, Boundary::stream, shop_.units);
    for (Unit& unit : shop_.units) admit(std::move(unit), now);
  }
  shop_.units.clear();
  if (error) {
    ++shop_.stats.protocol_errors;
    note(Kind::protocol_error, fmt::format("{}: {}", from == Side::client ? "client" : "server", error.message()));
    end(Codec::Ending::peer_error, error, "protocol error");
  }
  advance();
  wait_for_durable();
}

void Session::admit(Unit&& unit, Instant now) {
  if (state_ != State::open) return;  // an earlier unit of this batch ended the session
  auto& spare = shop_.spare;
  if (spare.empty()) spare.emplace_back();
  auto& own = queue(unit.from);
  own.splice(own.end(), spare, spare.begin());
  Pending& pending = own.back();
  pending.unit = std::move(unit);
  pending.read_at = now;
  pending.wire_size = pending.unit.wire.size();
  pending.recorded = 0;
  pending.wait_for = 0;
  pending.wire_index.reset();
  pending.notices.clear();
  pending.decisions.assign(pending.unit.events.size(), {});
  pending.judged.assign(pending.unit.events.size(), {});
  pending_octets_[static_cast<std::size_t>(pending.unit.from)] += pending.unit.wire.size();
  if (pending.unit.from == Side::client) tokens_ -= 1;
  for (std::size_t i = 0; i < pending.unit.events.size(); ++i) judge(pending, i);
  if (pending.unit.takes_over) take_over();
  // What the journal's queue did not take comes first: records keep the order in which units were read.
  if (!blocked_) record_or_block(pending);
}

// What the codec's release does not need is not kept until then.
void Session::lighten(Pending& pending) const {
  if (!pending.unit.forwards_wire) return;
  for (const Pending::Judged& judged : pending.judged)
    if (judged.verdict != Verdict::forward && judged.verdict != Verdict::flag) return;
  pending.unit.events.clear();
  pending.decisions.clear();
}

void Session::record_or_block(Pending& pending) {
  switch (record(pending)) {
    case Recorded::all:
      return lighten(pending);
    case Recorded::queue_full:
      blocked_ = true;
      ++shop_.stats.journal_full;
      shop_.blocked.push_back(shared_from_this());
      return;
    case Recorded::impossible:
      on_journal_failure();
  }
}

void Session::judge(Pending& pending, std::size_t number) {
  const Event& event = pending.unit.events[number];
  Pending::Judged& judged = pending.judged[number];
  judged.own_conversation = event.scope == Scope::network;
  judged.conversation = judged.own_conversation ? own_conversation(connection_)
                                                : shop_.conversations.of(service_->config.route.network, event);
  const bool later_leg = pending.unit.from == Side::server || event.copy == Copy::resend;
  if (later_leg) judged.match = shop_.legs.match(event, judged.conversation, connection_, pending.read_at);
  if (judged.match) {
    ++shop_.stats.matched;
    if (!judged.match->refused) return;  // judged on its first leg
  }
  judged.history = event.kind == Kind::message && (event.copy == Copy::delayed || event.copy == Copy::archive);
  const policy::Subject subject{event,    pending.unit.from, service_->protocol->name, service_->config.route.network,
                                account_, pending.read_at};
  struct Answers final : policy::Policy::Answers {
    explicit Answers(const Notices& notices_) : notices(notices_) {}
    std::string answer(std::string_view query) override { return notices.answer(query); }
    const Notices& notices;
  } answers(shop_.notices);
  policy::Judgement judgement = shop_.policy->judge_now(subject, answers);
  judged.verdict = judgement.decision.verdict;
  pending.decisions[number] = std::move(judgement.decision);
  // Refused then and not now: it is let through, and that has a record of its own.
  if (judged.match && judged.verdict != Verdict::refuse) judged.match.reset();
  for (policy::Notice& notice : judgement.notices) {
    std::optional<Event> about;
    if (notice.in_conversation) about = event;
    pending.notices.push_back({std::move(notice), pending.read_at, std::move(about)});
  }
}

Session::Recorded Session::record(Pending& pending) {
  for (; pending.recorded < pending.judged.size(); ++pending.recorded) {
    const std::size_t number = pending.recorded;
    const Pending::Judged& judged = pending.judged[number];
    if (judged.match) {
      pending.wait_for = std::max(pending.wait_for, judged.match->index + 1);
      continue;
    }
    const auto index = shop_.recorder.record(
        origin(pending.unit.from),
        {pending.unit, number, pending.decisions[number], judged.conversation,
         judged.own_conversation ? &own_sequence_ : nullptr,
         pending.wire_index ? static_cast<std::uint32_t>(shop_.recorder.journal().next_index() - *pending.wire_index)
                            : 0U,
         judged.history, pending.read_at});
    if (!index) {
      if (index.error() == journal::JournalError::full) return Recorded::queue_full;
      if (service_->config.on_journal_failure == OnJournalFailure::refuse) return Recorded::impossible;
      ++shop_.stats.unrecorded;
      continue;
    }
    pending.wait_for = std::max(pending.wait_for, *index + 1);
    if (!pending.wire_index) pending.wire_index = *index;
    shop_.legs.add(pending.unit.events[number], pending.decisions[number], judged.conversation, *index,
                   pending.read_at);
  }
  return Recorded::all;
}

void Session::retry() {
  if (!std::exchange(blocked_, false)) return;
  const auto self = shared_from_this();
  for (auto& units : queues_)
    for (Pending& pending : units) {
      if (pending.recorded < pending.judged.size()) record_or_block(pending);
      if (blocked_ || (state_ != State::open && state_ != State::draining)) return;
    }
  advance();
  wait_for_durable();
}

// Until the first unit of either side may leave; `durable` asks again for what is behind it. What is durable may have
// grown since `advance` looked: the journal tells of it only later, so not looking again is what loses nothing.
void Session::wait_for_durable() {
  if (waits_) return;
  std::optional<std::uint64_t> size;
  for (const auto& units : queues_)
    if (!units.empty() && units.front().recorded == units.front().judged.size() &&
        !(units.front().unit.takes_over && waits_for_old()) && (!size || units.front().wait_for < *size))
      size = units.front().wait_for;
  if (!size) return;
  waits_ = true;
  shop_.waiting.push({*size, shared_from_this()});
}

void Session::durable() {
  waits_ = false;
  advance();
  wait_for_durable();
}

bool Session::may_leave(const Pending& pending) const {
  if (pending.recorded < pending.judged.size()) return false;
  if (pending.unit.takes_over && waits_for_old()) return false;
  if (pending.wait_for <= shop_.recorder.durable_size()) return true;
  return shop_.journal_failed && service_->config.on_journal_failure == OnJournalFailure::forward_and_alarm;
}

void Session::advance() {
  if (state_ == State::over) return;
  const auto self = shared_from_this();
  const Instant now = net::Loop::now();
  for (auto& units : queues_)
    while (!units.empty() && may_leave(units.front())) release(units, now);
  apply();
  if (state_ == State::open) {
    show_notices();
    regulate();
  }
  if (state_ == State::draining && queues_[0].empty() && queues_[1].empty()) say_goodbye();
}

// Everything about the unit is durable: the codec says what leaves. What is only sent may wait for what the next unit
// sends, up to `advance`; anything else is done at once, as the next unit may depend on it.
void Session::release(std::list<Pending>& units, Instant now) {
  Pending& pending = units.front();
  settle(pending, now);
  pending_octets_[static_cast<std::size_t>(pending.unit.from)] -= pending.wire_size;
  for (DueNotice& notice : pending.notices) due_notices_.push_back(std::move(notice));
  codec_->release(std::move(pending.unit), pending.decisions, shop_.outbox);
  to_spare(units, units.begin());
  if (!shop_.outbox.only_sends()) apply();
}

void Session::to_spare(std::list<Pending>& from, std::list<Pending>::iterator node) {
  if (shop_.spare.size() < Shop::kSpareMax)
    shop_.spare.splice(shop_.spare.begin(), from, node);
  else
    from.erase(node);
}

void Session::settle(const Pending& pending, Instant now) {
  const net::Stream* target = stream(other(pending.unit.from));
  const bool lost = target == nullptr || target->broken();
  for (const Pending::Judged& judged : pending.judged) {
    const Verdict verdict = judged.verdict;
    Recorder::Outcome outcome = &Counters::forwarded;
    if (verdict == Verdict::refuse)
      outcome = &Counters::refused;
    else if (verdict == Verdict::hold)
      outcome = &Counters::held;
    else if (lost)
      outcome = &Counters::undeliverable;
    else if (verdict == Verdict::redact)
      outcome = &Counters::redacted;
    shop_.recorder.settle(counters_, outcome, now);
    if (!judged.match || judged.match->refused || lost) continue;
    shop_.recorder.deliver({judged.match->index, account_, session_, now, judged.match->copy});
    shop_.delivery_waits();
  }
}

Origin Session::origin(Side from) const {
  return {service_->protocol->name, service_->config.route.network, from, connection_, session_, account_};
}

void Session::note(Kind kind, std::string detail, std::optional<Counters> counters) {
  Event event;
  event.kind = kind;
  event.scope = Scope::network;
  event.from = account_;
  event.detail = std::move(detail);
  const auto index = shop_.recorder.note(origin(Side::client), {std::move(event), own_conversation(connection_),
                                                                &own_sequence_, counters, net::Loop::now()});
  if (!index && service_->config.on_journal_failure == OnJournalFailure::forward_and_alarm) ++shop_.stats.unrecorded;
}

}  // namespace chancery::gateway
