#include "codec/testing/player.h"

#include <algorithm>
#include <fmt/format.h>

#include "codec/testing/escape.h"
#include "codec/testing/event_text.h"

namespace chancery::testing {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

// A send as `> C:` lines, and `> C|` for what has no line end of its own.
void describe_send(Side side, Bytes octets, bool crlf, std::vector<std::string>& lines) {
  while (crlf) {
    const std::size_t end = octets.find(kLineEnd);
    if (end == Bytes::npos) break;
    lines.push_back(fmt::format("> {}: {}", to_string(side), escape(octets.substr(0, end))));
    octets.remove_prefix(end + kLineEnd.size());
  }
  if (!octets.empty()) lines.push_back(fmt::format("> {}{} {}", to_string(side), crlf ? '|' : ':', escape(octets)));
}

std::string describe_step(const chancery::Step& step) {
  using What = chancery::Step::What;
  switch (step.what) {
    case What::send:
      break;
    case What::start_tls:
      return "> start_tls " + to_string(step.side);
    case What::close:
      return "> close " + to_string(step.side);
    case What::identified:
      return "> identified " + escape(step.octets);
    case What::resumed:
      return "> resumed " + escape(step.octets);
    case What::session_key:
      return "> session_key " + escape(step.octets);
  }
  return "> ?";
}

}  // namespace

std::vector<std::string> Played::lines() const {
  std::vector<std::string> all;
  for (const PlayedUnit& unit : units) {
    if (unit.events.empty()) all.emplace_back("= nothing");
    for (std::size_t i = 0; i < unit.events.size(); ++i) all.push_back((i == 0 ? "= " : "+ ") + unit.events[i]);
    for (const std::string& secret : unit.secrets) all.push_back("* " + secret);
    all.insert(all.end(), unit.outputs.begin(), unit.outputs.end());
  }
  all.insert(all.end(), outputs.begin(), outputs.end());
  if (!error.empty()) all.push_back("error " + error);
  return all;
}

std::size_t Cutter::next(std::size_t left) {
  if (!random_) return left;
  if (size_ != 0) return std::min(size_, left);
  // Mostly short pieces, sometimes all there is: both kinds of cut find different mistakes.
  const std::size_t most = (*random_)() % 4 == 0 ? left : std::min<std::size_t>(left, 16);
  return 1 + (*random_)() % most;
}

Player::Player(const Protocol& protocol, const Transcript& transcript, Decisions decisions, Cutter cutter)
    : crlf_(transcript.crlf),
      passive_(transcript.start.passive),
      datagrams_(transcript.datagrams),
      shared_(protocol.make_shared ? protocol.make_shared(transcript.limits) : nullptr),
      decisions_(std::move(decisions)),
      cutter_(std::move(cutter)),
      now_(transcript.begin) {
  Start start = transcript.start;
  start.shared = shared_.get();
  codec_ = protocol.make(transcript.limits, start);
}

Played Player::play(const Step& step, Bytes octets) {
  Played played;
  if (step.what == Step::What::feed) {
    feed(step.side, octets, played);
  } else if (step.what == Step::What::finish) {
    std::vector<Unit> units;
    const std::error_code error = codec_->finish(step.side, units);
    take(units, step.side, played);
    if (error) played.error = to_string(error);
  } else {
    Outbox out;
    act(step, out);
    played.outputs = describe(out, nullptr, {});
  }
  return played;
}

void Player::act(const Step& step, Outbox& out) {
  switch (step.what) {
    case Step::What::feed:
    case Step::What::finish:
      break;
    case Step::What::start:
      return codec_->start(out);
    case Step::What::gap:
      errors_[static_cast<std::size_t>(step.side)] = {};  // a gap may be the way out of an error
      return codec_->gap(step.side, step.lost);
    case Step::What::inject:
    case Step::What::inject_about: {
      const bool about = step.what == Step::What::inject_about && last_event_.has_value();
      codec_->inject(step.side, step.octets, about ? &*last_event_ : nullptr, out);
      return;
    }
    case Step::What::end:
      return codec_->end(step.ending, make_error_code(CodecError::malformed), out);
    case Step::What::clock:
      now_ += step.advance;
      if (const auto deadline = codec_->deadline(); deadline && *deadline <= now_) codec_->expire(now_, out);
      return;
  }
}

void Player::feed(Side side, Bytes octets, Played& played) {
  std::error_code& sticky = errors_[static_cast<std::size_t>(side)];
  std::vector<Unit> units;
  while (!octets.empty()) {
    const std::size_t size = datagrams_ ? octets.size() : cutter_.next(octets.size());
    // A copy of its own, so that a codec that keeps or overreads the view is caught by the sanitizer.
    const Buffer piece{octets.substr(0, size)};
    octets.remove_prefix(size);
    units.clear();
    const std::error_code error =
        codec_->feed(side, piece, now_, datagrams_ ? Boundary::datagram : Boundary::stream, units);
    if (sticky && error != sticky) faults_.push_back("the error was not sticky");
    if (sticky && !units.empty()) faults_.push_back("units after an error");
    if (error && !sticky) played.error = to_string(error);
    if (error) sticky = error;
    take(units, side, played);
  }
}

void Player::take(std::vector<Unit>& units, Side side, Played& played) {
  for (Unit& unit : units) {
    if (unit.from != side) faults_.push_back("a unit names the wrong side");
    check_shape(unit);
    PlayedUnit& kept = played.units.emplace_back();
    kept.from = unit.from;
    kept.wire = unit.wire;
    for (const Secret& secret : unit.secrets) kept.secrets.push_back(to_line(secret, unit.wire));
    std::vector<Decision> decisions;
    for (const Event& event : unit.events) {
      kept.events.push_back(to_line(event, unit.wire));
      const auto spec = decisions_.find(events_seen_++);
      decisions.push_back(spec == decisions_.end() ? Decision{} : spec->second.decide(event));
    }
    if (!unit.events.empty()) last_event_ = unit.events.back();
    if (passive_) continue;
    Outbox out;
    const Buffer wire = unit.wire;
    codec_->release(std::move(unit), decisions, out);
    Unit from;
    from.from = side;
    kept.outputs = describe(out, &from, wire);
  }
}

void Player::check_shape(const Unit& unit) {
  if (unit.wire.empty()) faults_.push_back("a unit without octets");
  std::uint32_t after = 0;
  for (const Secret& secret : unit.secrets) {
    if (secret.wire_begin < after || secret.wire_end < secret.wire_begin || secret.wire_end > unit.wire.size())
      faults_.push_back("a secret outside the wire or out of order");
    after = secret.wire_end;
  }
  for (const Event& event : unit.events) {
    for (const TextPart& part : event.texts) {
      std::uint32_t text_at = 0;
      for (const Segment& s : part.segments) {
        if (s.text_begin < text_at || s.text_end < s.text_begin || s.text_end > part.text.size())
          faults_.push_back("a segment outside the text or out of order: " + quote(part.text));
        if (s.wire_end < s.wire_begin || s.wire_end > unit.wire.size())
          faults_.push_back("a segment outside the wire: " + quote(part.text));
        text_at = s.text_end;
      }
    }
  }
}

std::vector<std::string> Player::describe(Outbox& out, const Unit* unit, Bytes wire) const {
  std::vector<std::string> lines;
  for (const chancery::Step& step : out.steps()) {
    if (step.what != chancery::Step::What::send)
      lines.push_back(describe_step(step));
    else if (unit && step.side == other(unit->from) && step.octets == wire)
      lines.emplace_back("> pass");
    else
      describe_send(step.side, step.octets, crlf_, lines);
  }
  if (unit && lines.size() == 1 && lines.front() == "> pass")
    lines.clear();
  else if (unit && lines.empty())
    lines.emplace_back("> nothing");
  return lines;
}

}  // namespace chancery::testing
