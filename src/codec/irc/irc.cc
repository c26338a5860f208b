#include "codec/irc/irc.h"

#include <array>
#include <fmt/format.h>

#include "codec/irc/framing.h"
#include "codec/irc/probe.h"
#include "codec/irc/read.h"
#include "codec/irc/release.h"
#include "codec/irc/reply.h"
#include "codec/irc/state.h"

namespace chancery::irc {
namespace {

std::string reason_of(Codec::Ending why, std::error_code error) {
  switch (why) {
    case Codec::Ending::peer_error:
      return "Protocol error: " + error.message();
    case Codec::Ending::upstream_lost:
      return "The server closed the connection";
    case Codec::Ending::upstream_unreachable:
      return "The server cannot be reached";
    case Codec::Ending::shutdown:
      return "The gateway is shutting down";
    case Codec::Ending::not_recorded:
      return "Messages cannot be recorded at present";
    case Codec::Ending::idle:
      return "Idle for too long";
    case Codec::Ending::overloaded:
      return "Too many connections";
  }
  return "Closed";
}

class IrcCodec final : public Codec {
 public:
  IrcCodec(const Limits& limits, const Start& start)
      : state_(limits, start), sides_{LineReader{limits.unit_size_max}, LineReader{limits.unit_size_max}} {
    if (state_.midstream)
      for (auto& side : sides_) side.begin_in_the_middle();
  }

  std::error_code feed(Side from, Bytes in, Instant now, Boundary /*boundary*/, std::vector<Unit>& out) override {
    const auto index = static_cast<std::size_t>(from);
    LineReader& reader = sides_[index];
    Buffer line;
    while (!errors_[index] && reader.next(in, line)) {
      Unit unit;
      unit.from = from;
      unit.wire = std::move(line);
      line = {};
      // Of a line whose beginning is missing nothing can be said.
      if (!reader.was_cut())
        errors_[index] = from == Side::client ? read_client_line(state_, unit) : read_server_line(state_, unit, now);
      unit.forwards_wire = unit.action == 0;
      if (!errors_[index]) out.push_back(std::move(unit));
    }
    if (!errors_[index]) errors_[index] = reader.error();
    return errors_[index];
  }

  void gap(Side from, std::uint64_t /*lost_bytes*/) override { sides_[static_cast<std::size_t>(from)].lose(); }

  std::error_code finish(Side from, std::vector<Unit>& /*out*/) override {
    const auto index = static_cast<std::size_t>(from);
    if (errors_[index]) return errors_[index];
    return sides_[index].in_line() ? make_error_code(CodecError::malformed) : std::error_code{};
  }

  void release(Unit&& unit, std::span<const Decision> decisions, Outbox& out) override {
    release_unit(state_, unit, decisions, out);
  }

  bool inject(Side to, std::string_view text, const Event* about, Outbox& out) override {
    if (to == Side::server) return false;  // a gateway has no voice of its own on the server
    out.send(Side::client, notice_lines(state_, text, about));
    return true;
  }

  // RFC 2812 §3.7.4: ERROR before a server closes; §3.1.7: QUIT before a client does.
  void end(Ending why, std::error_code error, Outbox& out) override {
    const std::string reason = reason_of(why, error);
    out.send(Side::client, fmt::format("ERROR :Closing link: {}\r\n", one_line(reason, 0)));
    out.close(Side::client);
    const bool server_is_there = why != Ending::upstream_lost && why != Ending::upstream_unreachable;
    if (server_is_there && state_.registered) out.send(Side::server, fmt::format("QUIT :{}\r\n", one_line(reason, 0)));
    out.close(Side::server);
  }

  std::size_t memory() const override {
    return sizeof *this + sides_[0].memory() + sides_[1].memory() + state_.mask.capacity() + state_.rooms.memory();
  }

 private:
  State state_;
  std::array<LineReader, 2> sides_;
  std::array<std::error_code, 2> errors_;
};

std::unique_ptr<Codec> make(const Limits& limits, const Start& start) {
  return std::make_unique<IrcCodec>(limits, start);
}

constexpr std::array<std::uint16_t, 3> kPorts{6667, 6697, 194};

}  // namespace

const Protocol kProtocol{"irc", kPorts, probe, make, nullptr, false};

}  // namespace chancery::irc
