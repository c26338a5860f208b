#include "gateway/testing/line_codec.h"

#include <array>
#include <fmt/format.h>

#include "event/mask.h"

namespace chancery::gateway::testing {
namespace {

class LineCodec final : public Codec {
 public:
  explicit LineCodec(const Limits& limits) : limits_(limits) {}

  std::error_code feed(Side from, Bytes in, Instant, Boundary, std::vector<Unit>& out) override {
    Buffer& partial = partial_[static_cast<std::size_t>(from)];
    partial.append(in);
    for (std::size_t end = partial.find('\n'); end != Buffer::npos; end = partial.find('\n')) {
      Unit unit;
      unit.from = from;
      unit.wire = partial.substr(0, end + 1);
      partial.erase(0, end + 1);
      if (unit.wire == "BAD\n") return CodecError::malformed;
      if ((unit.takes_over = unit.wire.starts_with("RESUME "))) wants_ = unit.wire.substr(7);
      read(unit, Bytes{unit.wire}.substr(0, end));
      out.push_back(std::move(unit));
    }
    return partial.size() > limits_.unit_size_max ? make_error_code(CodecError::too_large) : std::error_code{};
  }

  void gap(Side, std::uint64_t) override {}

  std::error_code finish(Side from, std::vector<Unit>&) override {
    return partial_[static_cast<std::size_t>(from)].empty() ? std::error_code{} : CodecError::malformed;
  }

  void release(Unit&& unit, std::span<const Decision> decisions, Outbox& out) override {
    if (unit.wire == "STARTTLS\n") {
      out.send(Side::client, "OK\n");
      out.start_tls(Side::client);
      return;
    }
    if (unit.wire.starts_with("KEY ")) out.session_key(unit.wire.substr(4));
    if (unit.takes_over) out.resumed(wants_);
    if (unit.events.empty()) return out.send(other(unit.from), unit.wire);
    const Event& event = unit.events.front();
    const Decision& decision = decisions.front();
    if (decision.verdict == Verdict::refuse) return out.send(unit.from, "REFUSED " + decision.notice + "\n");
    if (decision.verdict == Verdict::redact) {
      const std::string& text = event.texts.front().text;
      Buffer wire = unit.wire;
      wire.replace(event.texts.front().segments.front().wire_begin, text.size(), apply_masks(text, 0, decision.masks));
      return out.send(other(unit.from), wire);
    }
    if (event.kind == Kind::sign_in) {
      identified_ = true;
      out.identified(event.from);
    }
    out.send(other(unit.from), unit.wire);
  }

  bool inject(Side to, std::string_view text, const Event*, Outbox& out) override {
    if (!identified_) return false;
    out.send(to, fmt::format("NOTICE {}\n", text));
    return true;
  }

  void end(Ending why, std::error_code, Outbox& out) override {
    constexpr std::array kNames{"peer_error", "upstream_lost", "upstream_unreachable", "shutdown", "not_recorded",
                                "idle",       "overloaded"};
    out.send(Side::client, fmt::format("BYE {}\n", kNames[static_cast<std::size_t>(why)]));
    out.close(Side::client);
    out.close(Side::server);
  }

  std::string resumes() const override { return wants_; }

  std::size_t memory() const override { return sizeof *this; }

 private:
  static Event message(std::string from, std::string to, Bytes text, std::size_t at) {
    Event event;
    event.from = std::move(from);
    event.to = {std::move(to)};
    TextPart part;
    part.text = text;
    part.segments.push_back({0, static_cast<std::uint32_t>(text.size()), static_cast<std::uint32_t>(at),
                             static_cast<std::uint32_t>(at + text.size())});
    event.texts.push_back(std::move(part));
    return event;
  }

  void read(Unit& unit, Bytes line) {
    const std::size_t one = line.find(' ');
    if (one == Bytes::npos) return;
    const Bytes verb = line.substr(0, one);
    const Bytes rest = line.substr(one + 1);
    const std::size_t two = rest.find(' ');
    if (unit.from == Side::client && verb == "LOGIN") {
      name_ = rest;
      Event event;
      event.kind = Kind::sign_in;
      event.scope = Scope::network;
      event.from = name_;
      unit.events.push_back(std::move(event));
    } else if (unit.from == Side::client && verb == "PASS") {
      Event event;
      event.kind = Kind::opaque;
      event.scope = Scope::network;
      event.detail = "password";
      unit.events.push_back(std::move(event));
      unit.secrets.push_back({5, static_cast<std::uint32_t>(line.size()), "pass"});
    } else if (two != Bytes::npos && (verb == "MSG" || verb == "FROM" || verb == "DELAYED")) {
      const std::string who{rest.substr(0, two)};
      const Bytes text = rest.substr(two + 1);
      const std::size_t at = one + 1 + two + 1;
      const bool own = verb == "MSG";
      unit.events.push_back(message(own ? name_ : who, own ? who : name_, text, at));
      if (verb == "DELAYED") unit.events.back().copy = Copy::delayed;
      unit.forwards_wire = true;
    }
  }

  Limits limits_;
  std::array<Buffer, 2> partial_;
  std::string name_;
  std::string wants_;
  bool identified_ = false;
};

Likeness probe(Side, Bytes) { return Likeness::no; }
std::unique_ptr<Codec> make(const Limits& limits, const Start&) { return std::make_unique<LineCodec>(limits); }
std::unique_ptr<Shared> make_shared(const Limits&) { return nullptr; }

}  // namespace

const Protocol kLineProtocol{"line", {}, &probe, &make, &make_shared, true};

}  // namespace chancery::gateway::testing
