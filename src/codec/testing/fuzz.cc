#include "codec/testing/fuzz.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <utility>

namespace chancery::testing {
namespace {

constexpr std::size_t kPieceMax = 0xffff;

struct Piece {
  enum class What : std::uint8_t { feed, finish, inject, gap };
  What what = What::feed;
  Side side = Side::client;
  Bytes octets;
};

struct Case {
  std::uint8_t settings = 0;
  std::uint8_t seed = 0;
  std::vector<Piece> pieces;
};

Piece::What what_of(std::uint8_t head) {
  switch ((head >> 1) & 7) {
    case 5:
      return Piece::What::finish;
    case 6:
      return Piece::What::inject;
    case 7:
      return Piece::What::gap;
    default:
      return Piece::What::feed;
  }
}

Case parse(Bytes input) {
  Case parsed;
  const auto take = [&input] {
    const auto octet = input.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(input.front());
    if (!input.empty()) input.remove_prefix(1);
    return octet;
  };
  parsed.settings = take();
  parsed.seed = take();
  while (!input.empty()) {
    const std::uint8_t head = take();
    Piece piece{what_of(head), (head & 1) != 0 ? Side::server : Side::client, {}};
    if (piece.what == Piece::What::feed) {
      const std::size_t low = take();
      const std::size_t size = low | (std::size_t{take()} << 8);
      piece.octets = input.substr(0, size);
      input.remove_prefix(piece.octets.size());
    }
    parsed.pieces.push_back(piece);
  }
  return parsed;
}

[[noreturn]] void broken(const char* promise) {
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

Limits limits_of(const Case& input) {
  Limits limits;
  if ((input.settings & 1) == 0) return limits;
  limits = {.unit_size_max = 512,
            .depth_max = 8,
            .attributes_max = 8,
            .targets_max = 3,
            .members_max = 3,
            .rooms_max = 2,
            .unacked_max = 4};
  return limits;
}

struct Bench {
  std::unique_ptr<Shared> shared;
  std::unique_ptr<Codec> codec;
  std::vector<Unit> units;
  std::array<std::error_code, 2> errors;

  Bench(const Protocol& protocol, const Case& input, bool passive) {
    const Limits limits = limits_of(input);
    if (protocol.make_shared) shared = protocol.make_shared(limits);
    Start start;
    start.mode = (input.settings & 2) != 0 ? Start::Mode::midstream : Start::Mode::fresh;
    const bool starttls = protocol.starttls && (input.settings & 4) != 0;
    start.client_tls = starttls ? Start::Tls::starttls : Start::Tls::direct;
    start.server_tls = protocol.starttls && (input.settings & 8) != 0 ? Start::Tls::starttls : Start::Tls::direct;
    start.record_presence = (input.settings & 16) != 0;
    start.client_host = "gateway.test";
    start.nonce = "00112233445566778899aabbccddeeff";
    start.passive = passive;
    start.shared = shared.get();
    codec = protocol.make(limits, start);
  }

  // Settings bit 5: pieces are datagrams.
  void feed(Side side, Bytes octets, Boundary boundary = Boundary::stream) {
    std::error_code& sticky = errors[static_cast<std::size_t>(side)];
    const std::size_t before = units.size();
    const std::error_code error = codec->feed(side, Buffer{octets}, Instant{}, boundary, units);
    if (sticky && (error != sticky || units.size() != before)) broken("an error is sticky");
    sticky = error;
  }
};

Boundary boundary_of(const Case& input) { return (input.settings & 32) != 0 ? Boundary::datagram : Boundary::stream; }

bool same(const Unit& a, const Unit& b) {
  return a.from == b.from && a.wire == b.wire && a.events == b.events && a.secrets == b.secrets;
}

// As the sensor: whole pieces against single octets.
void chunking_never_matters(const Protocol& protocol, const Case& input) {
  Bench whole{protocol, input, true};
  Bench bytewise{protocol, input, true};
  for (const Piece& piece : input.pieces) {
    if (piece.what == Piece::What::feed && !piece.octets.empty()) {  // of nothing there are no single octets
      whole.feed(piece.side, piece.octets, boundary_of(input));
      if (boundary_of(input) == Boundary::datagram)
        bytewise.feed(piece.side, piece.octets, Boundary::datagram);
      else
        for (const char& octet : piece.octets) bytewise.feed(piece.side, Bytes{&octet, 1});
    } else if (piece.what == Piece::What::gap) {
      for (Bench* bench : {&whole, &bytewise}) {
        bench->codec->gap(piece.side, 0);
        bench->errors[static_cast<std::size_t>(piece.side)] = {};  // a gap may be the way out of an error
      }
    }
  }
  if (whole.errors != bytewise.errors) broken("chunking never matters (errors)");
  if (whole.units.size() != bytewise.units.size()) broken("chunking never matters (count)");
  for (std::size_t i = 0; i < whole.units.size(); ++i)
    if (!same(whole.units[i], bytewise.units[i])) broken("chunking never matters (units)");
}

Buffer sent(Outbox& out, Side side) {
  Buffer all;
  for (const chancery::Step& step : out.steps())
    if (step.what == chancery::Step::What::send && step.side == side) all += step.octets;
  return all;
}

// As a gateway that forwards everything: each unit leaves as it came.
void passed_units_are_identical(const Protocol& protocol, const Case& input, bool (*may_rewrite)(const Unit&)) {
  Bench bench{protocol, input, false};
  Outbox out;
  bench.codec->start(out);
  for (const Piece& piece : input.pieces) {
    if (piece.what != Piece::What::feed) continue;
    bench.units.clear();
    bench.feed(piece.side, piece.octets, boundary_of(input));
    for (Unit& unit : bench.units) {
      out.clear();
      const bool exempt = may_rewrite(unit);
      const Buffer wire = unit.wire;
      const std::vector<Decision> decisions(unit.events.size());
      bench.codec->release(std::move(unit), decisions, out);
      // The codec may end the session itself; then nothing leaves any more.
      for (const chancery::Step& step : out.steps())
        if (step.what == chancery::Step::What::close) return;
      if (!exempt && sent(out, other(piece.side)) != wire) broken("a passed unit is byte-identical");
    }
  }
}

Decision random_decision(const Event& event, std::mt19937& random) {
  Decision decision;
  decision.verdict = static_cast<Verdict>(1 + random() % 5);
  decision.notice = random() % 2 == 0 ? "Not\r\nhere <&>" : "";
  if (decision.verdict != Verdict::redact) return decision;
  for (std::uint32_t part = 0; part < event.texts.size(); ++part) {
    const auto size = static_cast<std::uint32_t>(event.texts[part].text.size());
    if (size == 0) continue;
    const auto begin = static_cast<std::uint32_t>(random() % size);
    decision.masks.push_back({part, begin, begin + 1 + static_cast<std::uint32_t>(random() % (size - begin))});
  }
  return decision;
}

// As a gateway with opinions: anything but a crash.
void survives_decisions(const Protocol& protocol, const Case& input) {
  Bench bench{protocol, input, false};
  std::mt19937 random{input.seed};
  Outbox out;
  bench.codec->start(out);
  for (const Piece& piece : input.pieces) {
    bench.units.clear();
    if (piece.what == Piece::What::feed) bench.feed(piece.side, piece.octets, boundary_of(input));
    if (piece.what == Piece::What::finish) bench.codec->finish(piece.side, bench.units);
    if (piece.what == Piece::What::inject) bench.codec->inject(piece.side, "A\nnotice", nullptr, out);
    if (const auto deadline = bench.codec->deadline()) bench.codec->expire(*deadline, out);
    for (Unit& unit : bench.units) {
      std::vector<Decision> decisions;
      for (const Event& event : unit.events) decisions.push_back(random_decision(event, random));
      bench.codec->release(std::move(unit), decisions, out);
    }
    out.clear();
  }
  bench.codec->end(static_cast<Codec::Ending>(random() % 7), make_error_code(CodecError::malformed), out);
  (void)bench.codec->memory();
}

}  // namespace

int fuzz_codec(const Protocol& protocol, Bytes input, bool (*may_rewrite)(const Unit& unit)) {
  const Case parsed = parse(input);
  chunking_never_matters(protocol, parsed);
  passed_units_are_identical(protocol, parsed, may_rewrite);
  survives_decisions(protocol, parsed);
  return 0;
}

Buffer to_fuzz_input(const Transcript& transcript) {
  const bool midstream = transcript.start.mode == Start::Mode::midstream;
  const bool client_starttls = transcript.start.client_tls == Start::Tls::starttls;
  const bool server_starttls = transcript.start.server_tls == Start::Tls::starttls;
  Buffer out;
  out += static_cast<char>((midstream ? 2 : 0) | (client_starttls ? 4 : 0) | (server_starttls ? 8 : 0) |
                           (transcript.datagrams ? 32 : 0));
  out += '\0';
  for (const Step& step : transcript.steps) {
    const int side = step.side == Side::server ? 1 : 0;
    if (step.what == Step::What::finish) out += static_cast<char>(side | 5 << 1);
    if (step.what == Step::What::inject || step.what == Step::What::inject_about)
      out += static_cast<char>(side | 6 << 1);
    if (step.what == Step::What::gap) out += static_cast<char>(side | 7 << 1);
    if (step.what != Step::What::feed) continue;
    for (Bytes left = step.octets; !left.empty();) {
      const Bytes piece = left.substr(0, kPieceMax);
      out += static_cast<char>(side);
      out += static_cast<char>(piece.size() & 0xff);
      out += static_cast<char>(piece.size() >> 8);
      out += piece;
      left.remove_prefix(piece.size());
    }
  }
  return out;
}

}  // namespace chancery::testing
