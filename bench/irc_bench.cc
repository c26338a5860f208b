// How many messages a second one core reads and releases: 120-octet bodies, one to one, in a channel, and judged.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <vector>

#include "codec/irc/irc.h"

namespace chancery::irc {
namespace {

constexpr std::size_t kBody = 120;
constexpr int kBatch = 32;  // messages in one read of the socket

class Session {
 public:
  explicit Session(int members) : codec_(kProtocol.make(Limits{}, Start{})) {
    feed(Side::client, "NICK alice\r\n");
    feed(Side::server, ":im.test 001 alice :Welcome\r\n:alice!a@host.test JOIN #ops\r\n");
    for (int i = 0; i < members; ++i) feed(Side::server, fmt::format(":im.test 353 alice = #ops :member{}\r\n", i));
  }

  // Whether something left.
  std::size_t feed(Side side, Bytes octets, const Decision& decision = {}) {
    units_.clear();
    codec_->feed(side, octets, Instant{}, Boundary::stream, units_);
    out_.clear();
    for (Unit& unit : units_) {
      decisions_.assign(unit.events.size(), decision);
      codec_->release(std::move(unit), decisions_, out_);
    }
    return out_.steps().size();
  }

 private:
  std::unique_ptr<Codec> codec_;
  std::vector<Unit> units_;
  std::vector<Decision> decisions_;
  Outbox out_;
};

void run(benchmark::State& state, Side side, const std::string& line, int members, const Decision& decision = {}) {
  Session session{members};
  Buffer batch;
  for (int i = 0; i < kBatch; ++i) batch += line;
  for (auto _ : state) benchmark::DoNotOptimize(session.feed(side, batch, decision));
  state.SetItemsProcessed(state.iterations() * kBatch);
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(batch.size()));
}

const std::string kText(kBody, 'x');

void client_to_person(benchmark::State& state) { run(state, Side::client, "PRIVMSG bob :" + kText + "\r\n", 0); }
void server_to_person(benchmark::State& state) {
  run(state, Side::server, ":bob!b@host.test PRIVMSG alice :" + kText + "\r\n", 0);
}
void server_with_tags(benchmark::State& state) {
  run(state, Side::server,
      "@time=2026-05-03T09:00:00.000Z;msgid=abcdef0123456789 :bob!b@host.test PRIVMSG alice :" + kText + "\r\n", 0);
}
void channel_of_20(benchmark::State& state) { run(state, Side::client, "PRIVMSG #ops :" + kText + "\r\n", 20); }
void masked(benchmark::State& state) {
  Decision decision;
  decision.verdict = Verdict::redact;
  decision.masks = {{0, 10, 16}};
  run(state, Side::client, "PRIVMSG bob :" + kText + "\r\n", 0, decision);
}
void refused(benchmark::State& state) {
  Decision decision;
  decision.verdict = Verdict::refuse;
  run(state, Side::client, "PRIVMSG bob :" + kText + "\r\n", 0, decision);
}

BENCHMARK(client_to_person);
BENCHMARK(server_to_person);
BENCHMARK(server_with_tags);
BENCHMARK(channel_of_20);
BENCHMARK(masked);
BENCHMARK(refused);

}  // namespace
}  // namespace chancery::irc

BENCHMARK_MAIN();
