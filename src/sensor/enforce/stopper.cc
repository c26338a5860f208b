#include "sensor/enforce/stopper.h"

#include <algorithm>
#include <utility>

namespace chancery::sensor {
namespace {

constexpr std::size_t kQuotedMax = 128;  // of a datagram: its IP header and what an ICMP error must quote

Segment segment_of(const Packet& packet, Side from) {
  const TcpHeader& tcp = packet.tcp;
  const auto counted = static_cast<std::uint32_t>(packet.payload.size()) + packet.missing +
                       (tcp.has(TcpHeader::kSyn) ? 1U : 0U) + (tcp.has(TcpHeader::kFin) ? 1U : 0U);
  return {.from = from,
          .seq = tcp.sequence,
          .ack = tcp.acknowledgement,
          .length = counted,
          .has_ack = tcp.has(TcpHeader::kAck),
          .rst = tcp.has(TcpHeader::kRst),
          .time = packet.time};
}

template <class Range, class Value>
bool among(const Range& range, const Value& value) {
  return range.empty() || std::ranges::find(range, value) != range.end();
}

}  // namespace

struct Stopper::Case {
  TcpReset reset;
  StopEvent event;       // what is told of it
  unsigned answers = 0;  // ICMP packets sent
  Instant last_answer;
  unsigned rounds = 1;
  bool held = false;     // was told
  bool started = false;  // was told
  bool failed = false;   // was told
  bool settled = false;  // its end was told; data would open it again
};

std::string_view to_string(StopAction action) {
  switch (action) {
    case StopAction::alert:
      return "alert";
    case StopAction::reset:
      return "reset";
    case StopAction::observe:
      break;
  }
  return "observe";
}

std::string_view to_string(StopEvent::What what) {
  switch (what) {
    case StopEvent::What::started:
      return "reset";
    case StopEvent::What::held:
      return "held back";
    case StopEvent::What::ended:
      return "ended";
    case StopEvent::What::failed:
      return "failed";
    case StopEvent::What::alert:
      break;
  }
  return "alert";
}

bool StopRule::fits(const Flow& flow, const Named& named) const {
  return among(applications, named.application) && among(categories, named.category) &&
         (clients.empty() || any_holds(clients, flow.client().address)) &&
         (servers.empty() || any_holds(servers, flow.server().address));
}

Stopper::Stopper(StopPolicy policy, Hands hands)
    : policy_(std::move(policy)), hands_(std::move(hands)), limit_(policy_.resets_per_second, policy_.resets_burst) {}
Stopper::~Stopper() = default;

void Stopper::packet(const Flow& flow, const Packet& packet, Side from) {
  last_flow_ = &flow;
  last_source_ = packet.source;
  if (flow.transport == Transport::tcp)
    last_segment_ = segment_of(packet, from);
  else
    last_ip_.assign(packet.ip.substr(0, kQuotedMax));
  if (open_.empty()) return;
  const auto found = open_.find(&flow);
  if (found == open_.end()) return;
  Case& open = *found->second;
  if (flow.transport == Transport::tcp && packet.tcp.has(TcpHeader::kSyn) && !packet.tcp.has(TcpHeader::kAck))
    begins_anew(open, packet.time);
  if (open.settled && !reopen(open, packet)) return;
  open.reset.observe(segment_of(packet, from));
  fire(flow, open, &packet, packet.time);
}

// A connection that was thought over goes on: the resets were lost, or it was only idle.
bool Stopper::reopen(Case& open, const Packet& packet) {
  if (packet.payload.empty() || packet.tcp.has(TcpHeader::kRst) || open.rounds >= kRoundsMax) return false;
  ++open.rounds;
  open.settled = false;
  open.reset = TcpReset{};
  open.answers = 0;
  return true;
}

// The resets ended it unseen (they do not come back over the mirror), and the client took the same ports again.
void Stopper::begins_anew(Case& open, Instant now) {
  if (!open.settled) finish(open, StopEvent::What::ended, now);
  open.settled = true;
  open.rounds = 0;
}

void Stopper::named(const Flow& flow, const Named& named, bool managed) {
  if (managed || named.category == Category::other) return;  // what people are meant to use, and what is no IM
  const auto rule = std::ranges::find_if(policy_.rules, [&](const StopRule& each) { return each.fits(flow, named); });
  const StopAction action = rule == policy_.rules.end() ? policy_.otherwise : rule->action;
  if (action == StopAction::observe) return;
  auto open = std::make_unique<Case>();
  open->event = {.what = StopEvent::What::alert,
                 .application = named.application,
                 .category = named.category,
                 .transport = flow.transport,
                 .client = flow.client(),
                 .server = flow.server(),
                 .evidence = flow.name ? flow.name->evidence : named.evidence,
                 .time = flow.last};
  if (action == StopAction::alert) {
    ++counts_.alerts;
    return tell(*open, StopEvent::What::alert, flow.last);
  }
  ++counts_.stopped;
  if (open_.size() >= kFlowsMax) return finish(*open, StopEvent::What::failed, flow.last);
  if (flow.transport == Transport::tcp && last_flow_ == &flow) {
    last_segment_.from = last_source_ == flow.client() ? Side::client : Side::server;
    open->reset.observe(last_segment_);
    // The packet that decided may be an old one that filled a gap.
    for (const Side side : {Side::client, Side::server})
      if (const Stream& stream = flow.streams[static_cast<std::size_t>(side)]; stream.begun())
        open->reset.observe({.from = side,
                             .seq = stream.next(),
                             .ack = 0,
                             .length = 0,
                             .has_ack = false,
                             .rst = false,
                             .time = flow.last});
  }
  Case& kept = *open_.emplace(&flow, std::move(open)).first->second;
  fire(flow, kept, nullptr, flow.last);
}

// Tries once more, if there is something new to try.
void Stopper::fire(const Flow& flow, Case& open, const Packet* packet, Instant now) {
  if (flow.transport == Transport::tcp) return shoot(flow, open, open.reset.volley(), now);
  if (open.answers >= kUnreachableMax || (open.answers > 0 && now - open.last_answer < kUnreachablePause)) return;
  const Buffer icmp = unreachable_packet(packet == nullptr ? Bytes{last_ip_} : packet->ip.substr(0, kQuotedMax));
  if (icmp.empty()) return;
  const bool sent = send(icmp, now, 0);
  if (sent) {
    ++open.answers;
    open.last_answer = now;
  }
  say_tried(open, sent, now);
}

void Stopper::shoot(const Flow& flow, Case& open, std::span<const Shot> shots, Instant now) {
  if (shots.empty()) return;
  std::vector<Shot> sent;
  for (const Shot& shot : shots) {
    const bool to_client = shot.to == Side::client;
    const Endpoint& target = to_client ? flow.client() : flow.server();
    const Endpoint& source = to_client ? flow.server() : flow.client();
    // What may be needless leaves room for what is not.
    const double spare = shot.again || shot.step ? std::min(limit_.burst() * kSpareShare, limit_.burst() - 1) : 0;
    if (send(reset_packet(source, target, shot.seq, shot.ack), now, spare)) sent.push_back(shot);
  }
  open.reset.fired(sent, now);
  next_try_ = std::min(next_try_, open.reset.next_try().value_or(Instant::max()));
  say_tried(open, !sent.empty(), now);
}

void Stopper::say_tried(Case& open, bool sent, Instant now) {
  if (open.started || (!sent && open.held)) return;
  (sent ? open.started : open.held) = true;
  tell(open, sent ? StopEvent::What::started : StopEvent::What::held, now);
}

bool Stopper::send(Bytes packet, Instant now, double spare) {
  if (hands_.allowed && !hands_.allowed()) {
    ++counts_.switched;
    return false;
  }
  if (!limit_.take(now, spare)) {
    if (spare == 0) ++counts_.limited;  // the others only give way
    return false;
  }
  if (!hands_.send(packet)) {
    ++counts_.unsent;
    return false;
  }
  ++counts_.packets;
  return true;
}

void Stopper::tell(const Case& open, StopEvent::What what, Instant now) {
  if (!hands_.tell) return;
  StopEvent event = open.event;
  event.what = what;
  event.took = now - event.time;
  event.time = now;
  hands_.tell(event);
}

void Stopper::finish(Case& open, StopEvent::What what, Instant now) {
  if (what == StopEvent::What::failed && std::exchange(open.failed, true)) return;  // told once
  ++(what == StopEvent::What::ended ? counts_.ended : counts_.failed);
  tell(open, what, now);
}

// The flow table forgot it: it ended by itself, or fell silent for long.
void Stopper::ended(const Flow& flow, std::string_view /*application*/, Category /*category*/, bool /*managed*/) {
  if (last_flow_ == &flow) last_flow_ = nullptr;
  const auto found = open_.find(&flow);
  if (found == open_.end()) return;
  const bool failed =
      flow.transport == Transport::tcp && found->second->reset.outcome(flow.last) == TcpReset::Outcome::failed;
  if (!found->second->settled)
    finish(*found->second, failed ? StopEvent::What::failed : StopEvent::What::ended, flow.last);
  open_.erase(found);
}

void Stopper::settle(Instant now) {
  const bool due = now >= next_try_;
  if (due) next_try_ = Instant::max();
  for (auto& [flow, open] : open_) {
    if (open->settled) continue;
    if (due) shoot(*flow, *open, open->reset.repetition(now), now);
    const bool quiet = now - flow->last >= TcpReset::kSilence;
    auto outcome = quiet ? TcpReset::Outcome::ended : TcpReset::Outcome::open;
    if (flow->transport == Transport::tcp) outcome = open->reset.outcome(now);
    if (outcome == TcpReset::Outcome::open) {
      next_try_ = std::min(next_try_, open->reset.next_try().value_or(Instant::max()));
      continue;
    }
    open->settled = true;
    finish(*open, outcome == TcpReset::Outcome::ended ? StopEvent::What::ended : StopEvent::What::failed, now);
  }
}

}  // namespace chancery::sensor
